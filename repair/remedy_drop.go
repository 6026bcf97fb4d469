package repair

import (
	"context"
	"fmt"

	"github.com/raftctl/raftctl/wal"
)

// dropLeading leaves out whole segments at the beginning, as etcd itself does once a snapshot has made them
// superfluous. What remains is not changed by a byte.
type dropLeading struct{}

func (dropLeading) Name() string { return "drop_leading" }
func (dropLeading) Doc() string {
	return "leave out the first segments, which a snapshot has made superfluous, as etcd itself does in time"
}
func (dropLeading) Applies(f *Finding) bool { return f.Log != nil }
func (dropLeading) asked(*PlanOptions) bool { return false }

func (r dropLeading) solve(ctx context.Context, d *draft, problems []*Finding) (*solution, error) {
	s, err := d.scan(ctx)
	if err != nil {
		return nil, err
	}
	k := d.firstSound(s, problems)
	segments := d.log.Segments()
	if k <= 0 || k >= len(segments) {
		return nil, nil
	}
	if d.tail() != nil {
		return nil, nil // the end stays as it is
	}
	base := d.baseFrom(k)
	if base == nil || d.need(problems) > base.Index {
		return nil, nil
	}
	if why, err := d.databaseUnfit(ctx); err != nil || why != "" {
		return nil, err
	}
	out := &solution{}
	for _, seg := range segments[:k] {
		out.drop = append(out.drop, d.original(seg.File))
	}
	next := segments[k].Name.Index
	for _, rng := range d.view().Ranges {
		if rng.First < next {
			out.cost.Folded = append(out.cost.Folded, Range{First: rng.First, Last: min(rng.Last, next-1)})
		}
	}
	out.steps = []Step{newStep(r.Name(), problems, fmt.Sprintf("leave out the first %d of %d segments, up to %s", k, len(segments),
		out.drop[k-1]), fmt.Sprintf("etcd starts from the snapshot of entry %v, in a later segment, and the database has applied "+
		"entries up to %d", base.EntryID, d.applied().Index))}
	return out, nil
}

// firstSound returns the first segment behind all damage.
func (d *draft) firstSound(s *scan, problems []*Finding) int {
	k := 0
	for _, span := range s.skips {
		after := 1
		if span.Len == 0 && span.Off == 0 {
			after = 0 // it is about how the segment follows the one before
		}
		k = max(k, d.order(span.Segment)+after)
	}
	for _, f := range problems {
		within := f.Len > 0 || f.Off > 0 || f.Log.Class == wal.ClassRecordOrder
		if at := d.order(f.File); at >= 0 && within { // else it is about how the segment follows the one before
			k = max(k, at+1)
		}
	}
	return k
}

// baseFrom returns the snapshot that every release starts from if the log begins with the k-th segment; nil if
// there is none.
func (d *draft) baseFrom(k int) *wal.SnapshotRef {
	v := d.view()
	name := d.log.Segments()[k].Name.Index
	for i := len(v.Snapshots) - 1; i >= 0; i-- {
		s := &v.Snapshots[i]
		if s.Valid && d.order(s.Pos.Segment) >= k && s.Index >= name && s.Index <= d.applied().Index && d.confOf(s) != nil {
			return s
		}
	}
	return nil
}
