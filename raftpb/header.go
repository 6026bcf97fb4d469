package raftpb

import "github.com/raftctl/raftctl/internal/wirefield"

// EntryForm tells how much [ReadEntryHeader] found of an entry in the form that etcd writes.
type EntryForm uint8

// The forms, in ascending order of what was found: from EntryBare on, the bytes are one whole entry.
const (
	EntryOther EntryForm = iota // not as etcd writes an entry, or cut off before its data
	EntryCut                    // type, term and index are there, but not all of the data
	EntryBare                   // without data
	EntryFull                   // with data, which may be empty
)

// ReadEntryHeader reads what precedes an entry's data, of bytes in the form in which etcd encodes an
// entry: fields in ascending order, a type that raft.proto names, a term and an index above 0,
// nothing behind the data. If form is EntryOther, t and id mean nothing; [Entry.UnmarshalAlias] may
// still decode such bytes. It allocates nothing.
func ReadEntryHeader(b []byte) (t EntryType, id EntryID, form EntryForm) {
	t, id, _, form = readEntry(b)
	if id.Term == 0 || id.Index == 0 {
		form = EntryOther
	}
	return
}

// ReadEntry is ReadEntryHeader, and returns the entry's data as well, if form is EntryFull. Data aliases
// b.
func ReadEntry(b []byte) (t EntryType, id EntryID, data []byte, form EntryForm) {
	t, id, data, form = readEntry(b)
	if id.Term == 0 || id.Index == 0 {
		form = EntryOther
	}
	return
}

// readEntry reads the forms that etcd writes: ascending fields, a type that raft.proto
// names, minimal tags, nothing unknown. Fields may be absent. Data is that of EntryFull, and aliases b.
func readEntry(b []byte) (t EntryType, id EntryID, data []byte, form EntryForm) {
	off := 0
	if len(b) > 1 && b[0] == tagEntryType && b[1] <= byte(EntryConfChangeV2) {
		t, off = EntryType(b[1]), 2
	}
	if off < len(b) && b[off] == tagEntryTerm {
		id.Term, off = shortVarint(b, off+1)
	}
	if off < len(b) && b[off] == tagEntryIndex {
		id.Index, off = shortVarint(b, off+1)
	}
	if off == len(b) {
		return t, id, nil, EntryBare
	}
	if off > len(b) || b[off] != tagEntryData {
		return t, id, nil, EntryOther
	}
	size, off := shortVarint(b, off+1)
	if off > len(b) || size > uint64(len(b)-off) {
		return t, id, nil, EntryCut
	}
	if size < uint64(len(b)-off) {
		return t, id, nil, EntryOther
	}
	return t, id, b[off:len(b):len(b)], EntryFull
}

// ReadHardState reads a hard state of the form in which etcd encodes one: its three fields in
// ascending order, no number longer than it must be, nothing else. ok is false for other bytes;
// [HardState.UnmarshalStrict] may still decode them. It allocates nothing.
func ReadHardState(b []byte) (st HardState, ok bool) {
	term, n := wirefield.LeadingUint(b, tagHardStateTerm)
	vote, m := wirefield.LeadingUint(b[n:], tagHardStateVote)
	commit, k := wirefield.LeadingUint(b[n+m:], tagHardStateCommit)
	ok = n > 0 && m > 0 && k > 0 && n+m+k == len(b)
	return HardState{Term: term, Vote: vote, Commit: commit}, ok
}
