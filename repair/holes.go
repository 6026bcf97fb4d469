package repair

import (
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/edit"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/wal"
)

// hole is where the log doesn't go on: entries are missing, or nothing proves that what follows goes on from
// what was before.
type hole struct {
	First, Last uint64 // the entries; Last is First-1 where none need be missing
	Tail        bool   // nothing follows

	// Doubt is the first entry ahead of the hole that what is missing may have overwritten; First if there is none.
	Doubt    uint64
	overlaps bool // what is missing in a later hole may have overwritten entries ahead of this one, or in it
}

// missing returns how many entries are.
func (h *hole) missing() uint64 { return h.Last + 1 - h.First }

func (h *hole) String() string {
	if h.missing() == 0 {
		return fmt.Sprintf("what follows entry %d", h.First-1)
	}
	return Range{First: h.First, Last: h.Last}.String()
}

// holes returns those of the log as corrected so far, in order.
func (d *draft) holes() (list []hole) {
	v := d.view()
	next := v.Base.Index + 1
	if len(v.Ranges) > 0 && v.Ranges[0].First < next { // behind entries of its own the leader sent a snapshot
		next = max(d.log.Segments()[0].Name.Index, 1)
	}
	for i, r := range v.Ranges {
		if (r.First > next || i > 0) && !d.snapshotTo(r.First) {
			h := hole{First: next, Last: r.First - 1}
			if s := d.sentInto(&h); s != nil {
				h.First = s.Index + 1
			}
			h.Doubt = d.doubtfulFrom(&h)
			if h.missing() > 0 || h.Doubt < h.First { // else what is ahead is committed, and nothing overwrites it
				list = append(list, h)
			}
		}
		next = r.Last + 1
	}
	if last := max(d.committed(), d.lastDamaged()); last >= next || d.endsInDamage() {
		list = append(list, hole{First: next, Last: max(last, next-1), Tail: true, Doubt: next})
	}
	for i := len(list) - 1; i > 0; i-- { // a doubt may reach over holes
		if from := list[i].Doubt; from <= list[i-1].Last {
			list[i-1].Doubt, list[i-1].overlaps = min(list[i-1].Doubt, from), true
		}
	}
	return list
}

// tail returns the entries that are missing at the log's end; nil if none are.
func (d *draft) tail() *hole {
	if list := d.holes(); len(list) > 0 && list[len(list)-1].Tail && list[len(list)-1].missing() > 0 {
		return &list[len(list)-1]
	}
	return nil
}

// doubtfulFrom returns the first entry ahead of a hole that entries in it may have overwritten: the leader of a later
// term does that, with all that wasn't committed when the damage begins.
func (d *draft) doubtfulFrom(h *hole) uint64 {
	before, known := d.termOf(h.First - 1)
	behind, _ := d.termOf(h.Last + 1)
	if !known || behind <= before || d.alone || d.scanned == nil {
		return h.First
	}
	sure := d.scanned.known[h.Last+1]
	proves := func(id raftpb.EntryID) {
		if term, ok := d.termOf(id.Index); ok && term == id.Term && id.Index < h.First {
			sure = max(sure, id.Index)
		}
	}
	proves(d.applied())
	proves(d.view().Base)
	for i := range d.files {
		if f := &d.files[i]; f.Kind == snapshot.KindSnapshot && f.Verdict == verdict.OK {
			proves(f.ID)
		}
	}
	return min(h.First, max(sure+1, d.view().First.Index))
}

// snapshotTo reports whether the log goes on with an entry behind a snapshot that the leader sent: what is before it
// need not be there.
func (d *draft) snapshotTo(index uint64) bool {
	for i := range d.view().Snapshots {
		s := &d.view().Snapshots[i]
		if !s.Valid || s.Index == 0 || s.Index != index-1 || d.skips(s.Pos) {
			continue
		}
		if _, have := d.locate(s.Index); have == nil {
			continue // the member's own
		}
		pos, err := d.locate(index)
		return err == nil && d.before(edit.PlaceOf(s.Pos), edit.PlaceOf(pos))
	}
	return false
}

// skips reports whether a record is left out, since damage has made it doubtful.
func (d *draft) skips(pos wal.Position) bool {
	return d.scanned != nil && slices.ContainsFunc(d.scanned.skips, func(x edit.Span) bool { return x.Place == edit.PlaceOf(pos) })
}

// sentInto returns the last snapshot of an entry of a hole that the leader certainly sent: its record follows the entry
// before the hole, and no damage lies between. It is nil if there is none.
func (d *draft) sentInto(h *hole) (last *wal.SnapshotRef) {
	before, err := d.locate(h.First - 1)
	if err != nil || d.scanned == nil {
		return nil
	}
	for i := range d.view().Snapshots {
		s := &d.view().Snapshots[i]
		at := edit.PlaceOf(s.Pos)
		if !s.Valid || s.Index < h.First || s.Index >= h.Last || d.before(at, edit.PlaceOf(before)) || d.skips(s.Pos) {
			continue
		}
		between := func(x edit.Span) bool { return d.before(edit.PlaceOf(before), x.Place) && d.before(x.Place, at) }
		if !slices.ContainsFunc(d.scanned.skips, between) {
			last = s
		}
	}
	return last
}

// endsInDamage reports whether the last bytes of the log are damaged: what they said isn't known.
func (d *draft) endsInDamage() bool {
	s := d.scanned
	if s == nil || len(s.skips) == 0 {
		return false
	}
	last := s.skips[len(s.skips)-1]
	return last.Segment == s.last.Segment && last.Off+last.Len == s.last.Off
}

// order returns where a segment stands among those of the log.
func (d *draft) order(file string) int {
	return slices.IndexFunc(d.log.Segments(), func(s wal.Segment) bool { return s.File == file })
}

// before reports whether one place comes before another. Nothing comes behind the zero place, the end.
func (d *draft) before(a, b edit.Place) bool {
	switch {
	case a == (edit.Place{}):
		return false
	case b == (edit.Place{}):
		return true
	case a.Segment != b.Segment:
		return d.order(a.Segment) < d.order(b.Segment)
	}
	return a.Off < b.Off
}

// behind returns the place of the record with which the log goes on behind a hole; zero at its end.
func (d *draft) behind(h *hole) (edit.Place, error) {
	if h.Tail {
		return edit.Place{}, nil
	}
	pos, err := d.locate(h.Last + 1)
	return edit.PlaceOf(pos), err
}

// within returns where the entries of a hole belong: in the place of the first damage in it, so that no hard
// state comes before what it commits; else ahead of the record with which the log goes on.
func (d *draft) within(h *hole) (edit.Place, error) {
	hi, err := d.behind(h)
	if err != nil {
		return edit.Place{}, err
	}
	var lo edit.Place
	if list := d.view().Ranges; len(list) > 0 && h.First > list[0].First { // be it below what the log starts after
		pos, err := d.locate(h.First - 1)
		if s := d.snapshotOf(h.First - 1); err != nil && s != nil {
			pos, err = s.Pos, nil
		}
		if err != nil {
			return edit.Place{}, err
		}
		lo = edit.PlaceOf(pos)
	}
	for _, s := range d.scanned.skips {
		if (lo == (edit.Place{}) || d.before(lo, s.Place)) && d.before(s.Place, hi) {
			return s.Place, nil
		}
	}
	return hi, nil
}

// snapshotOf returns the first record of a snapshot of an entry; nil if there is none.
func (d *draft) snapshotOf(index uint64) *wal.SnapshotRef {
	for i := range d.view().Snapshots {
		if s := &d.view().Snapshots[i]; s.Valid && s.Index == index {
			return s
		}
	}
	return nil
}

// start returns the first place where the log isn't taken over as it is: where bytes are left out, or records
// come in.
func (d *draft) start(s *scan, inserts []edit.Insert) edit.Place {
	var at edit.Place
	if s.dirty {
		at = edit.PlaceOf(s.first)
	}
	for i := range inserts {
		if d.before(inserts[i].At, at) {
			at = inserts[i].At
		}
	}
	if at == (edit.Place{}) {
		at = edit.PlaceOf(s.last)
	}
	return at
}

// state returns the hard state that a log ends with which now ends at last: nothing that the member has
// promised is forgotten, and it commits nothing that isn't there. ok is false if the log as it is says that
// already.
func (d *draft) state(last raftpb.EntryID, have raftpb.HardState) (s raftpb.HardState, ok bool) {
	s = d.view().State
	s.Commit = min(max(s.Commit, have.Commit), last.Index)
	if last.Term > s.Term {
		s.Term, s.Vote = last.Term, 0
	}
	return s, s != have
}

// stateRecord returns a hard state as a record that comes in at the end of the log.
func (d *draft) stateRecord(s raftpb.HardState) edit.Insert {
	return edit.Insert{Kind: uint8(wal.KindState), Data: s.Marshal(d.flavor())}
}

// flavor is the encoding of the log's last entries.
func (d *draft) flavor() raftpb.Flavor {
	if d.flavors == nil {
		f := d.lastFlavor()
		d.flavors = &f
	}
	return *d.flavors
}

func (d *draft) lastFlavor() raftpb.Flavor {
	flavor := raftpb.FlavorGogo
	for e, err := range d.view().Entries(d.view().Last.Index) {
		if err != nil {
			break // told when the log is read for good
		}
		if f, ok := raftpb.DetectFlavor(e.Record.Data); ok {
			flavor = f
		}
	}
	return flavor
}
