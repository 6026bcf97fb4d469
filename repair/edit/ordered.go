package edit

import (
	"context"
	"iter"
	"math"
	"slices"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// ordered yields the entries that the new log is to hold, each once and in the order of their indexes; snapshot
// records where they belong, and what else comes in at the end. A segment ends where a writer would end it.
func (m *maker) ordered(ctx context.Context) iter.Seq2[*wal.Record, error] {
	return func(yield func(*wal.Record, error) bool) {
		o := &ordering{maker: m, yield: yield, snapshots: slices.Clone(m.view.Snapshots)}
		n := 0
		for e, err := range m.expected(Range{Last: math.MaxUint64}) {
			if n++; err == nil && n%pollEvery == 0 {
				err = ctx.Err()
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !o.entry(e) {
				return
			}
		}
		for _, in := range m.Changes.Rewrite.Insert {
			if in.At == (Place{}) && in.Donor == 0 && wal.Kind(in.Kind) != wal.KindEntry &&
				!yield(&wal.Record{Kind: wal.Kind(in.Kind), Data: in.Data}, nil) {
				return
			}
		}
	}
}

// ordering is the state of such a log.
type ordering struct {
	*maker
	yield     func(*wal.Record, error) bool
	snapshots []wal.SnapshotRef // that were not yielded yet
	size      int64             // of the segment, about
}

func (o *ordering) entry(e wal.LiveEntry) bool {
	if !o.snapshotsBefore(e.Index) {
		return false
	}
	data := []byte(nil)
	if e.Record != nil {
		data = e.Record.Data
	} else {
		data = e.Marshal(raftpb.FlavorGogo)
	}
	const frame = 32 // bytes of a record beside its data, about
	if o.size += int64(len(data)) + frame; o.size > wal.SegmentSize {
		o.size = 0
		if !o.yield(&wal.Record{Kind: wal.KindCRC}, nil) {
			return false
		}
	}
	return o.yield(&wal.Record{Kind: wal.KindEntry, ID: e.ID(), Data: data}, nil)
}

// snapshotsBefore yields the snapshot records of entries before an index.
func (o *ordering) snapshotsBefore(index uint64) bool {
	for len(o.snapshots) > 0 && o.snapshots[0].Index < index {
		ref := o.snapshots[0]
		o.snapshots = o.snapshots[1:]
		if !ref.Valid || ref.Index == 0 {
			continue
		}
		rec, err := o.log.ReadAt(ref.Pos)
		if err == nil && rec.Kind != wal.KindSnapshot {
			continue
		}
		if !o.yield(rec, err) || err != nil {
			return false
		}
	}
	return true
}
