package raft

import "github.com/raftctl/raftctl/raftpb"

// Storage is the application's log, as the core reads it. The application writes it, as Ready or
// the storage messages say. It must hold what was written before Advance is called or the storage
// thread answers.
//
// An error other than those named makes the call of RawNode that ran into it return an error; what
// it was about to do is left undone and may be asked for again.
type Storage interface {
	// InitialState returns the last hard state, zero before there was one, and the membership as
	// of the last snapshot, or as of Config.Applied if the application keeps it so.
	InitialState() (raftpb.HardState, raftpb.ConfState, error)
	// Entries returns the entries [lo, hi), or as many of the first of them as have an encoded size
	// of at most maxSize bytes in total (see EntrySize), at least one. The core may append to the
	// slice but doesn't change the entries; nor may the application from then on. ErrCompacted if
	// lo is compacted, ErrUnavailable if an entry is missing.
	Entries(lo, hi, maxSize uint64) ([]raftpb.Entry, error)
	// Term returns the term of an entry in [FirstIndex-1, LastIndex]: that of the last entry that
	// was compacted away is still known. ErrCompacted below, ErrUnavailable above.
	Term(index uint64) (uint64, error)
	// LastIndex returns the index of the last entry or, without entries, of the snapshot.
	LastIndex() (uint64, error)
	// FirstIndex returns the index of the first entry that isn't compacted, one after the snapshot
	// if there are no entries.
	FirstIndex() (uint64, error)
	// Snapshot returns the latest snapshot, which the core doesn't change.
	// ErrSnapshotTemporarilyUnavailable has the core ask again later.
	Snapshot() (raftpb.Snapshot, error)
}
