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
	if others, err := d.minority(ctx); len(others) > 0 || err != nil {
		return false, err // what is another member's goes first
	}
	links, err := d.links(ctx)
	if err != nil {
		return false, err
	}
	var all []edit.Rename
	for file, to := range namesOf(chainOf(links)) {
		if to.String() != file {
			all = append(all, edit.Rename{From: file, To: to.String()})
		}
	}
	for _, list := range append([][]edit.Rename{all, renamedByEntry(f, links)}, moved(links)...) {
		if ok, err := r.rename(ctx, d, f, list); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// rename gives segments other names, if that helps.
func (r renameSegment) rename(ctx context.Context, d *draft, f *Finding, list []edit.Rename) (bool, error) {
	if len(list) == 0 {
		return false, nil
	}
	for i := range list {
		list[i].From = d.original(list[i].From)
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
		if l.whole && l.last > 0 {
			last = l.last
		}
	}
	return nil
}

// moved returns renames, each on its own, that put one segment where its checksums say that it belongs: behind the only
// one that ends with the one that it begins with, or ahead of the only one that begins as it ends. The others may be
// damaged. If there is one of that number already, the two have each other's names.
func moved(links []link) (list [][]edit.Rename) {
	for i := range links {
		l := &links[i]
		before := only(links, func(x *link) bool { return l.begin != 0 && x.end == l.begin })
		behind := only(links, func(x *link) bool { return l.end != 0 && x.begin == l.end })
		twins := func(x *link) bool { return l.begin == x.begin || l.end == x.end }
		var to wal.SegmentName
		switch {
		case only(links, twins) != i:
			continue // one of them is too many
		case before == i || behind == i || before >= 0 && before == i-1 || behind >= 0 && behind == i+1:
			continue // it belongs where it is
		case before >= 0:
			to = wal.SegmentName{Seq: links[before].segment.Name.Seq + 1, Index: max(links[before].last+1, l.first)}
		case behind >= 0 && links[behind].segment.Name.Seq > 0:
			if to.Seq = links[behind].segment.Name.Seq - 1; to.Seq > 0 { // the first one has index 0
				to.Index = l.first
			}
		default:
			continue
		}
		own := l.segment.File
		if k := only(links, func(x *link) bool { return x.segment.Name.Seq == to.Seq }); k >= 0 {
			other := links[k].segment.File
			list = append(list, []edit.Rename{{From: own, To: other}, {From: other, To: own}})
			continue
		}
		list = append(list, []edit.Rename{{From: own, To: to.String()}})
	}
	return list
}

// only returns the one link of which something holds; -1 if there is none, or more.
func only(links []link, holds func(*link) bool) int {
	at := -1
	for i := range links {
		if !holds(&links[i]) {
			continue
		}
		if at >= 0 {
			return -1
		}
		at = i
	}
	return at
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
	begin, end uint32 // checksums that it begins and ends with, as far as these records are there; 0 else
	first      uint64 // index of its first entry; 0 if it has none
	last       uint64 // of the last entry or snapshot that was saved in it; 0 if none was
	whole      bool   // nothing in it is damaged
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
		if rec.Kind == wal.KindDamage {
			l.whole = false
			continue
		}
		if n == 1 && rec.Kind == wal.KindCRC {
			l.begin = rec.CRC
		} else if n == 1 {
			l.whole = false
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
