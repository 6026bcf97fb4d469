// Command raftctl sees into, trusts and explains the Raft log of etcd 3.4 to 3.7.
//
//	raftctl <thing> <verb> PATH… [flags]
//
// The path of a file is the command: walcmd/dump.go is `wal dump`, its options, its checks, one call
// of a library, and rendering. What commands share is in ui; how paths are named in paths, findings
// told in report, and rows printed in rows; the fields of records and keys are in where, and what is
// about raftctl itself in metacmd. What is known about formats and protocols lives in the packages wal,
// snapshot, raftpb and decode.
package main
