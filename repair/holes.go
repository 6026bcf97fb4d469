package repair

import (
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/edit"
	"github.com/raftctl/raftctl/wal"
)

// hole is where the log doesn't go on: entries are missing, or nothing proves that what follows goes on from
// what was before.
type hole struct {
	First, Last uint64 // the entries; Last is First-1 where none need be missing
	Tail        bool   // nothing follows
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
	for i, r := range v.Ranges {
		if (r.First > next || i > 0) && !d.snapshotTo(r.First) {
			list = append(list, hole{First: next, Last: r.First - 1})
		}
		next = r.Last + 1
	}
	if last := max(d.committed(), d.lastDamaged()); last >= next || d.endsInDamage() {
		list = append(list, hole{First: next, Last: max(last, next-1), Tail: true})
	}
	return list
}

// snapshotTo reports whether the log goes on with an entry behind a snapshot that the leader sent: what is before it
// need not be there.
func (d *draft) snapshotTo(index uint64) bool {
	for i := range d.view().Snapshots {
		s := &d.view().Snapshots[i]
		if !s.Valid || s.Index == 0 || s.Index != index-1 {
			continue
		}
		if _, have := d.view().Locate(s.Index); have == nil {
			continue // the member's own
		}
		pos, err := d.view().Locate(index)
		return err == nil && d.before(edit.PlaceOf(s.Pos), edit.PlaceOf(pos))
	}
	return false
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
	pos, err := d.view().Locate(h.Last + 1)
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
	if first := h.First; first > d.view().Base.Index+1 {
		pos, err := d.view().Locate(first - 1)
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

// keepSnapshot sees to it that a log whose beginning is gone still has a record of a snapshot that etcd can start
// from. ok is false if there is none.
func (d *draft) keepSnapshot(out *solution) (ok bool) {
	r, v := out.rewrite, d.view()
	if r == nil || r.Begin != nil || len(v.Ranges) == 0 {
		return true
	}
	first := v.Ranges[0].First // of the entries that go on to the end, but for what is filled
	for _, rng := range v.Ranges[1:] {
		if d.snapshotTo(rng.First) {
			first = rng.First
		}
	}
	if first <= 1 && d.log.Segments()[0].Name.Seq == 0 {
		return true
	}
	for i := range v.Snapshots {
		s := &v.Snapshots[i]
		kept := r.End == (edit.Place{}) || d.before(edit.PlaceOf(s.Pos), r.End)
		if s.Valid && s.Index >= first-1 && s.Index > 0 && kept && d.confOf(s) != nil {
			return true
		}
	}
	f := d.snapFrom(first - 1)
	if f == nil {
		return d.member.Place.Snap.State != datadir.Present // a log alone has no snapshots to start from, as it is
	}
	snap := wal.Snapshot{Index: f.ID.Index, Term: f.ID.Term, ConfState: &f.Metadata.ConfState}
	in := edit.Insert{Kind: uint8(wal.KindSnapshot), Data: snap.AppendTo(nil, d.flavor())}
	r.Insert = append([]edit.Insert{in}, r.Insert...)
	if r.From == (edit.Place{}) && len(r.Skip) == 0 && !r.Ordered {
		r.From = edit.PlaceOf(d.scanned.last)
	}
	return true
}

// lostHead says that the last segment has lost its head; empty if it hasn't. Nothing comes into a segment before its
// head is durable: this is no unfinished write, whatever the bytes look like.
func (d *draft) lostHead() string {
	segments := d.log.Segments()
	for i := range d.report.Findings {
		f := &d.report.Findings[i]
		if k := d.order(f.Pos.Segment); f.Class == wal.ClassTorn && f.Pos.Off == 0 && k > 0 && k == len(segments)-1 {
			return fmt.Sprintf("what was written behind entry %d: the head of %s is gone, and nothing tells what was behind it",
				d.view().LastIndex(), f.Pos.Segment)
		}
	}
	return ""
}
