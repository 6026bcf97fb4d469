package wal

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/raftctl/raftctl/raftpb"
)

// entryForm tells how much parseEntryID found of an entry.
type entryForm uint8

const (
	entryOther entryForm = iota // not as etcd writes one
	entryBare                   // without data
	entryFull                   // with data, which may be empty
)

// parseEntryID reads what precedes an entry's data, in the forms that etcd writes.
func parseEntryID(b []byte) (t raftpb.EntryType, id raftpb.EntryID, form entryForm) {
	off := 0
	if len(b) >= 2 && b[0] == 0x08 {
		t, off = raftpb.EntryType(b[1]), 2
	}
	if off >= len(b) || b[off] != 0x10 || t > raftpb.EntryConfChangeV2 {
		return 0, id, entryOther
	}
	id.Term, off = entryVarint(b, off+1)
	if off >= len(b) || b[off] != 0x18 {
		return 0, id, entryOther
	}
	id.Index, off = entryVarint(b, off+1)
	if off == len(b) {
		return t, id, entryBare
	}
	if off > len(b) || b[off] != 0x22 {
		return 0, id, entryOther
	}
	size, off := entryVarint(b, off+1)
	if off > len(b) || size != uint64(len(b)-off) {
		return 0, id, entryOther
	}
	return t, id, entryFull
}

// entryID returns the position of the entry that data encodes in any form, zero if it is none.
func entryID(data []byte) raftpb.EntryID {
	if _, id, form := parseEntryID(data); form != entryOther {
		return id
	}
	var e raftpb.Entry
	if e.UnmarshalAlias(data) != nil {
		return raftpb.EntryID{}
	}
	return e.ID()
}

// entryVarint reads the varint at off. Next is beyond len(b) if there is none.
func entryVarint(b []byte, off int) (v uint64, next int) {
	for shift := 0; off < len(b) && shift < 64; shift += 7 {
		c := b[off]
		off++
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v, off
		}
	}
	return 0, len(b) + 1
}

// varintPair reads the varint fields 1 and 2 that b begins with, and returns the rest. ok is false if b
// begins with others.
func varintPair(b []byte) (first uint64, rest []byte, ok bool) {
	first, n := uintField(b, 0x08)
	_, m := uintField(b[n:], 0x10)
	return first, b[n+m:], n > 0 && m > 0
}

// stateFields reads a hard state of the form that etcd writes.
func stateFields(b []byte) (st raftpb.HardState, ok bool) {
	term, n := uintField(b, 0x08)
	vote, m := uintField(b[n:], 0x10)
	commit, k := uintField(b[n+m:], 0x18)
	ok = n > 0 && m > 0 && k > 0 && n+m+k == len(b)
	return raftpb.HardState{Term: term, Vote: vote, Commit: commit}, ok
}

// uintField reads the varint field of this tag that b begins with. n is 0 if it begins with another.
func uintField(b []byte, tag byte) (v uint64, n int) {
	if len(b) < 2 || b[0] != tag {
		return 0, 0
	}
	if b[1] < 0x80 {
		return uint64(b[1]), 2
	}
	if v, n = minimalUvarint(b[1:]); n == 0 {
		return 0, 0
	}
	return v, 1 + n
}

// The forms below are those that writers of etcd's logs give the data of each kind: its fields in their
// order, and no others.

func fitsMetadata(data []byte) bool {
	_, rest, ok := varintPair(data)
	return ok && len(rest) == 0
}

func fitsEntry(data []byte) bool {
	_, _, form := parseEntryID(data)
	return form != entryOther
}

func fitsState(data []byte) bool {
	_, ok := stateFields(data)
	return ok
}

func fitsSnapshot(data []byte) bool {
	_, rest, ok := varintPair(data)
	if !ok || len(rest) == 0 {
		return ok
	}
	num, wire, n := protowire.ConsumeTag(rest)
	if n < 0 || num != 3 || wire != protowire.BytesType {
		return false
	}
	conf, m := protowire.ConsumeBytes(rest[n:])
	return m == len(rest)-n && new(raftpb.ConfState).UnmarshalAlias(conf) == nil
}
