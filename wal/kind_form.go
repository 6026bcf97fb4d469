package wal

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/raftctl/raftctl/internal/wirefield"
	"github.com/raftctl/raftctl/raftpb"
)

// entryID returns the position of the entry that data encodes in any form, zero if it is none.
func entryID(data []byte) raftpb.EntryID {
	if _, id, form := raftpb.ReadEntryHeader(data); form >= raftpb.EntryBare {
		return id
	}
	var e raftpb.Entry
	if e.UnmarshalAlias(data) != nil {
		return raftpb.EntryID{}
	}
	return e.ID()
}

// varintPair reads the varint fields 1 and 2 that b begins with, and returns the rest. ok is false if b
// begins with others.
func varintPair(b []byte) (first uint64, rest []byte, ok bool) {
	first, n := wirefield.LeadingUint(b, 0x08)
	_, m := wirefield.LeadingUint(b[n:], 0x10)
	return first, b[n+m:], n > 0 && m > 0
}

// The forms below are those that writers of etcd's logs give the data of each kind: its fields in their
// order, and no others.

func fitsMetadata(data []byte) bool {
	_, rest, ok := varintPair(data)
	return ok && len(rest) == 0
}

func fitsEntry(data []byte) bool {
	_, _, form := raftpb.ReadEntryHeader(data)
	return form >= raftpb.EntryBare
}

func fitsState(data []byte) bool {
	_, ok := raftpb.ReadHardState(data)
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
