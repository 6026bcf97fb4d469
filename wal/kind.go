package wal

import (
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

// String returns the kind as the JSON contract spells it, if it is one of etcd's. Those of other
// dialects have the names that [Dialect.KindName] gives.
func (k Kind) String() string { return Etcd.KindName(k) }

// kindRow is what a dialect says of one kind of records.
//
// The checksum doesn't cover a record's type. What tells a wrong one is the data: the messages of
// different kinds have different fields. Of etcd's, two pairs can look alike. Metadata and a
// snapshot without a ConfState differ in their place: metadata is the second record of a segment,
// and only that. A hard state and an entry without data differ in their first field: a hard state's
// term is never 0, and the type of an entry without data always is.
type kindRow struct {
	kind Kind
	name string

	// fits reports whether data has the fields that writers give it, in their order, and no others.
	fits func(data []byte) bool
	// decodes reports whether data is a message of the kind at all, perhaps with fields that are not
	// known yet.
	decodes func(data []byte) bool
	// stands reports whether a record whose data fits can be of the kind after what was read before.
	stands func(t *prior, data []byte) bool

	carried bool // see KindOptions; the writer keeps etcd's hard state decoded
}

// Etcd is the dialect of the logs of etcd 3.4 to 3.7.
var Etcd = etcdDialect()

func etcdDialect() *Dialect {
	d := newDialect(segmentSuffix, []kindRow{
		{KindMetadata, "metadata", fitsMetadata, decodesMetadata, standsMetadata, false},
		{KindEntry, "entry", fitsEntry, decodesEntry, standsEntry, false},
		{KindState, "state", fitsState, decodesState, standsState, true},
		crcRow,
		{KindSnapshot, "snapshot", fitsSnapshot, decodesSnapshot, standsSnapshot, false},
	})
	d.begin = []headRecord{{KindSnapshot, new(Snapshot).AppendTo(nil, raftpb.FlavorGogo)}}
	return d
}

var crcRow = kindRow{KindCRC, "crc", hasNoData, hasNoData, standsCRC, false}

func hasNoData(data []byte) bool { return data == nil }

func standsCRC(t *prior, _ []byte) bool { return t.n == 0 }

// metadataPlace is the place of metadata in its segment: after the crc record.
const metadataPlace = 1

// decodesMetadata accepts anything: the format leaves its meaning to the application.
func decodesMetadata([]byte) bool { return true }

// standsMetadata tells metadata from a snapshot without a ConfState, where its place doesn't: IDs are
// hashes, far above any index or term.
func standsMetadata(t *prior, data []byte) bool {
	return t.n == metadataPlace || t.lost || !mayBeSnapshot(data)
}

func decodesEntry(data []byte) bool { return new(raftpb.Entry).UnmarshalAlias(data) == nil }

// standsEntry tells entries from hard states, which look like entries of type 1 or 2 without data.
// Such an entry, by which a group leaves a joint configuration, is never the first of a leader, so
// it has the next index; a hard state never commits that much.
func standsEntry(t *prior, data []byte) bool {
	kind, id, form := raftpb.ReadEntryHeader(data)
	next := t.last.Index > 0 && id.Index == t.last.Index+1 && id.Term >= t.last.Term
	return form == raftpb.EntryFull || kind == raftpb.EntryNormal || next
}

func decodesState(data []byte) bool { return new(raftpb.HardState).UnmarshalAlias(data) == nil }

func standsState(_ *prior, data []byte) bool {
	st, _ := raftpb.ReadHardState(data)
	return likelyState(st.Term)
}

// likelyState reports whether a hard state can have this term: none is written before the first
// election.
func likelyState(term uint64) bool { return term > 0 }

func decodesSnapshot(data []byte) bool { return new(Snapshot).Unmarshal(data) == nil }

func standsSnapshot(t *prior, data []byte) bool {
	index, rest, _ := varintPair(data)
	return len(rest) > 0 || index == 0 || mayBeSnapshot(data) && (t.n != metadataPlace || t.lost)
}

// mayBeSnapshot reports whether a pair of numbers can be index and term of a snapshot.
func mayBeSnapshot(data []byte) bool {
	const most = 1 << 48 // entries in a log: 90 years of 100,000 a second
	index, _, _ := varintPair(data)
	return index < most
}

// prior is what was read before a record: it tells what the record can be.
type prior struct {
	n    int            // records of the segment before it
	lost bool           // there were more, but damage took them
	last raftpb.EntryID // the last entry, zero if none was read

	snapshot uint64 // index of the last snapshot record
}

// add takes in a record. It returns the position of the entry if it is one.
func (t *prior) add(k Kind, data []byte) (id raftpb.EntryID) {
	t.n++
	switch k {
	case KindEntry:
		id = entryID(data)
		t.last = id
	case KindSnapshot:
		t.snapshot, _, _ = varintPair(data)
	}
	return id
}

// kindOf returns the kind that a record with this data must have, given that it says k: k itself
// unless the data says otherwise. known is false if nothing tells.
func (d *Dialect) kindOf(t *prior, k Kind, data []byte) (kind Kind, known bool) {
	said := d.row(k)
	if said != nil && said.fits(data) && said.stands(t, data) {
		return k, true
	}
	found := 0
	for i := range d.kinds {
		other := &d.kinds[i]
		if other.kind != k && other.fits(data) && other.stands(t, data) {
			kind = other.kind
			found++
		}
	}
	if found == 1 {
		return kind, true
	}
	return k, found == 0 && said != nil && said.decodes(data)
}
