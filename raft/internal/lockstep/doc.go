// Package lockstep holds the proof that package raft behaves like the implementation that its users
// know, go.etcd.io/raft/v3 v3.7: tests only, no code.
//
// A world is a group of up to seven members with a network, storages that lose what was not synced,
// and applications that apply, compact and take snapshots. Each member is a pair: a RawNode of ours
// and one of the reference. Every call goes to both, and after every call both must have answered
// alike, must agree on status, progress and whether there is work, and must hand out the same work.
//
// What happens in a world is told by a string of bytes: a header that shapes it, then operations of
// four bytes each. So the same interpreter serves random runs, fuzzing, the shrinking of a failure,
// and its replay. Any string means something.
package lockstep
