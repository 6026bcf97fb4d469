// Command raftctl sees into, trusts and explains the Raft log of etcd 3.4 to 3.7.
//
//	raftctl <thing> <verb> PATH… [flags]
//
// Each command is one file: an options struct, its checks, one call of a library, and rendering.
// What is known about formats and protocols lives in the packages wal, snapshot, raftpb and decode.
package main
