package wal

import (
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/raftctl/raftctl/raftpb"
)

// Kind tells what a record's data is.
type Kind uint8

// The kinds of records that etcd writes, with its numbers, and the kind that stands for a gap.
const (
	KindMetadata Kind = 1    // who wrote the log: see Metadata
	KindEntry    Kind = 2    // a raftpb.Entry
	KindState    Kind = 3    // a raftpb.HardState
	KindCRC      Kind = 4    // no data; CRC carries the chain over from the segment before
	KindSnapshot Kind = 5    // a snapshot was taken or received: see Snapshot
	KindDamage   Kind = 0xff // no record: bytes that no intact frame accounts for
)

// String returns the kind as the JSON contract spells it.
func (k Kind) String() string {
	switch k {
	case KindMetadata:
		return "metadata"
	case KindEntry:
		return "entry"
	case KindState:
		return "state"
	case KindCRC:
		return "crc"
	case KindSnapshot:
		return "snapshot"
	case KindDamage:
		return "damage"
	}
	return "kind " + strconv.Itoa(int(k))
}

// The checksum doesn't cover a record's type. What tells a wrong one is the data: the messages of
// the five kinds have different fields. Two pairs can look alike. Metadata and a snapshot without a
// ConfState differ in their place: metadata is the second record of a segment, and only that. A
// hard state and an entry without data differ in their first field: a hard state's term is never 0,
// and the type of an entry without data always is.

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

// fits reports whether data has the fields that a record of kind k has in the logs of etcd, in
// their order, and no others.
func fits(k Kind, data []byte) bool {
	switch k {
	case KindMetadata:
		_, rest, ok := varintPair(data)
		return ok && len(rest) == 0
	case KindEntry:
		_, _, form := parseEntryID(data)
		return form != entryOther
	case KindState:
		_, ok := stateFields(data)
		return ok
	case KindCRC:
		return data == nil
	case KindSnapshot:
		return fitsSnapshot(data)
	}
	return false
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

// decodes reports whether data is a message of kind k at all, perhaps with fields that are not
// known yet.
func decodes(k Kind, data []byte) bool {
	switch k {
	case KindMetadata:
		return true // the format leaves its meaning to the application
	case KindEntry:
		return new(raftpb.Entry).UnmarshalAlias(data) == nil
	case KindState:
		return new(raftpb.HardState).UnmarshalAlias(data) == nil
	case KindCRC:
		return data == nil
	case KindSnapshot:
		return new(Snapshot).Unmarshal(data) == nil
	}
	return false
}

// prior is what was read before a record: it tells what the record can be.
type prior struct {
	n    int            // records of the segment before it
	lost bool           // there were more, but damage took them
	last raftpb.EntryID // the last entry, zero if none was read
}

// add takes in a record. It returns the position of the entry if it is one.
func (t *prior) add(k Kind, data []byte) (id raftpb.EntryID) {
	t.n++
	if k == KindEntry {
		id = entryID(data)
		t.last = id
	}
	return id
}

// kindOf returns the kind that a record with this data must have, given that it says k: k itself
// unless the data says otherwise. known is false if nothing tells.
func (t *prior) kindOf(k Kind, data []byte) (kind Kind, known bool) {
	if fits(k, data) && t.likely(k, data) {
		return k, true
	}
	var found []Kind
	for other := KindMetadata; other <= KindSnapshot; other++ {
		if other != k && fits(other, data) && t.likely(other, data) {
			found = append(found, other)
		}
	}
	if len(found) == 1 {
		return found[0], true
	}
	return k, len(found) == 0 && k >= KindMetadata && k <= KindSnapshot && decodes(k, data)
}

// likely reports whether a record whose data fits kind k can be of that kind at this place.
func (t *prior) likely(k Kind, data []byte) bool {
	const metadataPlace = 1 // after the crc record
	switch k {
	case KindCRC:
		return t.n == 0
	case KindMetadata:
		return t.n == metadataPlace || t.lost
	case KindSnapshot:
		index, rest, _ := varintPair(data)
		return t.n != metadataPlace || t.lost || len(rest) > 0 || index == 0
	case KindState:
		st, _ := stateFields(data)
		return likelyState(st.Term)
	case KindEntry:
		return t.likelyEntry(data)
	}
	return true
}

// likelyEntry tells entries from hard states, which look like entries of type 1 or 2 without data.
// Such an entry, by which a group leaves a joint configuration, is never the first of a leader, so
// it has the next index; a hard state never commits that much.
func (t *prior) likelyEntry(data []byte) bool {
	kind, id, form := parseEntryID(data)
	next := t.last.Index > 0 && id.Index == t.last.Index+1 && id.Term >= t.last.Term
	return form == entryFull || kind == raftpb.EntryNormal || next
}

// likelyState reports whether a hard state can have this term: none is written before the first
// election.
func likelyState(term uint64) bool { return term > 0 }
