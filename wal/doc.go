// Package wal reads and writes the write-ahead log of a Raft member as etcd 3.4 to 3.7 keeps it on
// disk.
package wal
