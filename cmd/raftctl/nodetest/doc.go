// Package nodetest holds the proof of `raftctl node run` by what others wrote for etcd: their suites of tests, and
// etcdctl of each release, whose output is that which a real etcd gives. It is a package of its own because its
// tests take minutes; it has nothing but tests.
package nodetest
