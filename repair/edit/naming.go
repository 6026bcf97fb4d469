package edit

import "github.com/raftctl/raftctl/wal"

// naming tells what the name of the next segment may say: the index behind the last entry or snapshot that was written.
// A restart makes etcd forget snapshots, so both readings are right.
type naming struct{ entry, any uint64 }

// named is the naming at the beginning of a segment of a name that is right.
func named(n wal.SegmentName) naming {
	last := max(n.Index, 1) - 1
	return naming{last, last}
}

// note takes in a record.
func (n *naming) note(rec *wal.Record) {
	var s wal.Snapshot
	switch {
	case rec.Kind == wal.KindEntry:
		n.entry, n.any = rec.ID.Index, rec.ID.Index
	case rec.Kind == wal.KindSnapshot && s.Unmarshal(rec.Data) == nil:
		n.any = max(n.any, s.Index)
	}
}

// head returns the first record of a segment as it is to be written: a name that doesn't fit isn't taken over. Then the
// writer makes one.
func (n *naming) head(rec *wal.Record) *wal.Record {
	name, ok := wal.ParseSegmentName(rec.Pos.Segment)
	if ok && (name.Index == n.entry+1 || name.Index == n.any+1) {
		return rec
	}
	r := *rec
	r.Pos = wal.Position{}
	return &r
}
