package repair

import (
	"context"
	"slices"

	"github.com/raftctl/raftctl/repair/edit"
	"github.com/raftctl/raftctl/wal"
)

// dropSegment leaves out a segment that doesn't belong to the log.
type dropSegment struct{}

func (dropSegment) Name() string { return "drop_segment" }
func (dropSegment) Doc() string {
	return "leave out a segment that is another log's, is there twice, or holds nothing"
}

func (dropSegment) Applies(f *Finding) bool {
	switch wal.Class(f.Class) {
	case wal.ClassMetadata, wal.ClassSegmentOrder, wal.ClassMissingSegment, wal.ClassEmptySegment, wal.ClassCRCChain, wal.ClassForeign:
		return f.Log != nil
	}
	return false
}

func (r dropSegment) do(ctx context.Context, d *draft, f *Finding) (bool, error) {
	if f.Log.Class == wal.ClassMetadata {
		return r.foreign(ctx, d, f)
	}
	at := d.order(f.File)
	for _, k := range []int{at, at - 1} { // the one before may be the one that is too many
		if k < 0 {
			continue
		}
		held, head, err := d.entriesOf(ctx, k)
		if err != nil {
			return false, err
		}
		if !head && k > 0 && k == len(d.log.Segments())-1 {
			continue // nothing tells that it isn't the log's end
		}
		ok, err := r.drop(ctx, d, f, k, func(t, than *trial) bool { return t.helps(than) && held.in(t) })
		if ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// foreign leaves out a segment that is another member's: its metadata is not that of most.
func (r dropSegment) foreign(ctx context.Context, d *draft, f *Finding) (bool, error) {
	list, err := d.minority(ctx)
	if err != nil {
		return false, err
	}
	for _, k := range list {
		if ok, err := r.drop(ctx, d, f, k, (*trial).cleaner); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

func (r dropSegment) drop(
	ctx context.Context, d *draft, f *Finding, k int, good func(t, than *trial) bool,
) (bool, error) {
	file, folded := d.log.Segments()[k].File, d.foldedBy(k)
	ok, err := d.attemptWith(ctx, func(c *edit.Changes) { c.Drop = append(c.Drop, d.original(file)) }, good)
	if !ok || err != nil {
		return false, err
	}
	d.plan.Cost.Folded = append(d.plan.Cost.Folded, folded...)
	d.plan.Steps = append(d.plan.Steps, newStep(r.Name(), []*Finding{f}, "leave out segment "+file,
		"it is another log's, or holds nothing that the others don't have"))
	return true, nil
}

// foldedBy returns the entries that a log has no more when its k-th segment is left out, since it begins with the next
// one then: those that had their place there, and that the database or a snapshot has applied.
func (d *draft) foldedBy(k int) []Range {
	segments := d.log.Segments()
	if k > 0 || len(segments) == 1 || segments[1].Name.Seq != segments[0].Name.Seq+1 {
		return nil
	}
	first, last := max(segments[0].Name.Index, 1), segments[1].Name.Index-1
	if first > last || segments[1].Name.Index == 0 || last > d.applied().Index {
		return nil
	}
	return []Range{{First: first, Last: last}}
}

// minority returns the segments whose metadata is not the member's own, where that is known.
func (d *draft) minority(ctx context.Context) (list []int, err error) {
	by, err := d.segmentsBy(ctx)
	if err != nil {
		return nil, err
	}
	own := d.ownMetadata(by)
	for m, ks := range by {
		if own != nil && m != *own {
			list = append(list, ks...)
		}
	}
	slices.Sort(list)
	return list, nil
}

// heldEntries are the terms of the entries of one segment, by index.
type heldEntries map[uint64]uint64

// entriesOf returns the entries of the k-th segment, read by itself, and whether it has the head that each has.
func (d *draft) entriesOf(ctx context.Context, k int) (held heldEntries, head bool, err error) {
	held = heldEntries{}
	n := 0
	for rec, err := range d.log.SegmentRecords(k) {
		if err != nil {
			return nil, false, err
		}
		if n++; n%pollEvery == 0 && ctx.Err() != nil {
			return nil, false, ctx.Err()
		}
		head = head || n == 1 && rec.Kind == wal.KindCRC
		if rec.Kind == wal.KindEntry && rec.ID.Index > 0 {
			held[rec.ID.Index] = rec.ID.Term
		}
	}
	return held, head, nil
}

// in reports whether a log holds all of the entries, intact, or was led on by others after them.
func (h heldEntries) in(t *trial) bool {
	for index, term := range h {
		if !holds(t.report.View, index, term) {
			return false
		}
	}
	return true
}

// holds reports whether a log has an entry at an index, intact, of a term or a later one.
func holds(v *wal.View, index, term uint64) bool {
	if !slices.ContainsFunc(v.Ranges, func(r wal.IndexRange) bool { return r.First <= index && index <= r.Last }) {
		return index <= v.Base.Index
	}
	for _, t := range v.Terms {
		if t.Index <= index && index < t.Index+t.N {
			return t.Term >= term
		}
	}
	return false
}

// original returns the name in the source of a segment of the log as corrected so far.
func (d *draft) original(file string) string {
	for _, r := range d.plan.Changes.Rename {
		if r.To == file {
			return r.From
		}
	}
	return file
}
