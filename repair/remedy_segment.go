package repair

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
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
		held, err := d.entriesOf(ctx, k)
		if err != nil {
			return false, err
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
	for _, k := range d.minority() {
		if ok, err := r.drop(ctx, d, f, k, (*trial).cleaner); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

func (r dropSegment) drop(
	ctx context.Context, d *draft, f *Finding, k int, good func(t, than *trial) bool,
) (bool, error) {
	file := d.log.Segments()[k].File
	ok, err := d.attemptWith(ctx, func(c *edit.Changes) { c.Drop = append(c.Drop, d.original(file)) }, good)
	if !ok || err != nil {
		return false, err
	}
	d.plan.Steps = append(d.plan.Steps, newStep(r.Name(), []*Finding{f}, "leave out segment "+file,
		"it is another log's, or holds nothing that the others don't have"))
	return true, nil
}

// minority returns the segments whose metadata is not that of more than half of them.
func (d *draft) minority() (list []int) {
	by := map[wal.Metadata][]int{}
	segments := d.log.Segments()
	for k := range segments {
		n := 0
		for rec, err := range d.log.SegmentRecords(k) {
			if n++; err != nil || n > 2 {
				break
			}
			var m wal.Metadata
			if rec.Kind == wal.KindMetadata && m.Unmarshal(rec.Data) == nil {
				by[m] = append(by[m], k)
			}
		}
	}
	most := false
	for _, ks := range by {
		most = most || 2*len(ks) > len(segments)
	}
	for _, ks := range by {
		if most && 2*len(ks) <= len(segments) {
			list = append(list, ks...)
		}
	}
	slices.Sort(list)
	return list
}

// heldEntries are the terms of the entries of one segment, by index.
type heldEntries map[uint64]uint64

// entriesOf returns the entries of the k-th segment, read by itself.
func (d *draft) entriesOf(ctx context.Context, k int) (heldEntries, error) {
	held, n := heldEntries{}, 0
	for rec, err := range d.log.SegmentRecords(k) {
		if err != nil {
			return nil, err
		}
		if n++; n%pollEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if rec.Kind == wal.KindEntry && rec.ID.Index > 0 {
			held[rec.ID.Index] = rec.ID.Term
		}
	}
	return held, nil
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

// renameSegment gives segments the names that their places in the log demand: their checksums tell the order.
type renameSegment struct{}

func (renameSegment) Name() string { return "rename_segment" }
func (renameSegment) Doc() string {
	return "give segments the names that their place in the log demands, which their checksums tell"
}

func (renameSegment) Applies(f *Finding) bool {
	switch wal.Class(f.Class) {
	case wal.ClassNameIndex, wal.ClassMissingSegment, wal.ClassSegmentOrder, wal.ClassCRCChain:
		return f.Log != nil
	}
	return false
}

func (r renameSegment) do(ctx context.Context, d *draft, f *Finding) (bool, error) {
	links, err := d.links(ctx)
	if err != nil {
		return false, err
	}
	names := namesOf(chainOf(links))
	var list []edit.Rename
	for file, to := range names {
		if to.String() != file {
			list = append(list, edit.Rename{From: d.original(file), To: to.String()})
		}
	}
	if len(list) == 0 {
		if list = renamedByEntry(f, links); list == nil {
			return false, nil
		}
	}
	slices.SortFunc(list, func(a, b edit.Rename) int { return slices.Compare([]byte(a.From), []byte(b.From)) })
	ok, err := d.attempt(ctx, func(c *edit.Changes) { c.Rename = merged(c.Rename, list) }, nil)
	if !ok || err != nil {
		return false, err
	}
	does := fmt.Sprintf("rename %s to %s", list[0].From, list[0].To)
	if len(list) > 1 {
		does += fmt.Sprintf(", and %d more", len(list)-1)
	}
	d.plan.Steps = append(d.plan.Steps, newStep(r.Name(), []*Finding{f}, does, "each then goes on from the one before, by their checksums"))
	return true, nil
}

// renamedByEntry gives a segment the index behind what was saved before it, where that is what its name gets wrong.
func renamedByEntry(f *Finding, links []link) []edit.Rename {
	if f.Log.Class != wal.ClassNameIndex {
		return nil
	}
	last := uint64(0)
	for _, l := range links {
		if l.segment.File == f.File && last > 0 {
			to := wal.SegmentName{Seq: l.segment.Name.Seq, Index: last + 1}
			return []edit.Rename{{From: f.File, To: to.String()}}
		}
		if l.last > 0 {
			last = l.last
		}
	}
	return nil
}

// merged returns renames in which later ones replace those of the same segment.
func merged(before, later []edit.Rename) []edit.Rename {
	out := slices.DeleteFunc(slices.Clone(before), func(r edit.Rename) bool {
		return slices.ContainsFunc(later, func(l edit.Rename) bool { return l.From == r.From })
	})
	return append(out, later...)
}

// link is how a segment hangs together with others.
type link struct {
	segment    wal.Segment
	begin, end uint32 // checksums that it begins and ends with
	first      uint64 // index of its first entry; 0 if it has none
	last       uint64 // of the last entry or snapshot that was saved in it; 0 if none was
	whole      bool
}

// links reads how each segment begins and ends, by itself: whatever its name says, and what stands before it.
func (d *draft) links(ctx context.Context) (list []link, err error) {
	for _, s := range d.log.Segments() {
		l, err := d.linkOf(ctx, s)
		if err != nil {
			return nil, err
		}
		list = append(list, l)
	}
	return list, nil
}

func (d *draft) linkOf(ctx context.Context, s wal.Segment) (l link, err error) {
	l = link{segment: s, whole: true}
	log, err := wal.Open(alone{d.log.FS(), path.Join(d.log.Dir(), s.File)}, aloneName)
	if errors.Is(err, wal.ErrNoLog) || errors.Is(err, wal.ErrEmpty) {
		return link{segment: s}, nil
	}
	if err != nil {
		return l, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	n := 0
	for rec, err := range log.Records(wal.Inspect) {
		if n++; err == nil && n%pollEvery == 0 {
			err = ctx.Err()
		}
		if err != nil {
			return l, err
		}
		switch {
		case rec.Kind == wal.KindDamage:
			return link{segment: s}, nil
		case n == 1:
			l.begin, l.whole = rec.CRC, rec.Kind == wal.KindCRC
		}
		l.note(rec)
	}
	return l, nil
}

// note takes in a record. An entry takes the place of later ones, a snapshot only adds to what is there.
func (l *link) note(rec *wal.Record) {
	l.end = rec.CRC
	var snap wal.Snapshot
	switch {
	case rec.Kind == wal.KindEntry:
		if l.first == 0 {
			l.first = rec.ID.Index
		}
		l.last = rec.ID.Index
	case rec.Kind == wal.KindSnapshot && snap.Unmarshal(rec.Data) == nil:
		l.last = max(l.last, snap.Index)
	}
}

// alone is a file system with one file, under a name that is no segment's.
type alone struct {
	fs   fs.FS
	file string
}

const aloneName = "segment"

// Open implements [fs.FS].
func (a alone) Open(name string) (fs.File, error) {
	if name != aloneName {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return a.fs.Open(a.file)
}

// chainOf returns the segments in the order in which they go on from each other; nil unless there is exactly one,
// of all of them.
func chainOf(links []link) (chain []link) {
	if len(links) < 2 || slices.ContainsFunc(links, func(l link) bool { return !l.whole }) {
		return nil
	}
	next := map[uint32]int{}
	for i, l := range links {
		if _, twice := next[l.begin]; twice {
			return nil
		}
		next[l.begin] = i
	}
	ends := map[uint32]bool{}
	for _, l := range links {
		ends[l.end] = true
	}
	for _, l := range links {
		if ends[l.begin] {
			continue
		}
		if chain != nil {
			return nil // two beginnings
		}
		for at, ok := l, true; ok && len(chain) < len(links); {
			chain = append(chain, at)
			var k int
			k, ok = next[at.end]
			if ok {
				at = links[k]
			}
		}
	}
	if len(chain) != len(links) {
		return nil
	}
	return chain
}

// namesOf returns the names that segments have in their order, by the names that they have.
func namesOf(chain []link) map[string]wal.SegmentName {
	if len(chain) == 0 {
		return nil
	}
	names := map[string]wal.SegmentName{}
	name := wal.SegmentName{}
	if chain[0].begin != 0 {
		name = wal.SegmentName{Seq: lowest(chain), Index: chain[0].first}
	}
	last := max(name.Index, 1) - 1
	for i, l := range chain {
		if i > 0 {
			name = wal.SegmentName{Seq: name.Seq + 1, Index: last + 1}
		}
		if l.last > 0 {
			last = l.last
		}
		names[l.segment.File] = name
	}
	return names
}

func lowest(chain []link) uint64 {
	seq := chain[0].segment.Name.Seq
	for _, l := range chain {
		seq = min(seq, l.segment.Name.Seq)
	}
	return max(seq, 1)
}
