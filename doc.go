// Package raftctl is the root of a module that sees into, trusts, fixes, recovers and runs a Raft
// log in the formats that etcd writes. It holds no code: see the packages raftpb, wal, snapshot and
// decode, and the command cmd/raftctl.
package raftctl
