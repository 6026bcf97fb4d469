// Package restoretest holds the proof of `raftctl snapshot restore` against real etcds: what they wrote,
// as a client recorded it write by write, is what other ones serve that start on the result. It is a
// package of its own because its tests take minutes; it has nothing but tests.
package restoretest
