package raftpb

import "fmt"

// EntryType tells what an entry's data is.
type EntryType int32

// The entry types of raft.proto.
const (
	EntryNormal       EntryType = 0 // the application's, or a new leader's first, which is empty
	EntryConfChange   EntryType = 1 // Data is a ConfChange
	EntryConfChangeV2 EntryType = 2 // Data is a ConfChangeV2
)

// EntryID names a position in a Raft log: an index and the term that the entry there has.
type EntryID struct {
	Term  uint64
	Index uint64
}

// String formats the position for people, such as "1930 (term 3)", so that nothing depends on the
// order of the two. DescribeEntry has etcd's own short form.
func (id EntryID) String() string { return fmt.Sprintf("%d (term %d)", id.Index, id.Term) }

// Entry is one entry of a Raft log.
type Entry struct {
	Type  EntryType
	Term  uint64
	Index uint64
	Data  []byte // nil: field absent; empty but not nil: field present with length 0
}

// ID returns the entry's position in the log.
func (e *Entry) ID() EntryID { return EntryID{Term: e.Term, Index: e.Index} }
