package repair

import (
	"context"
	"fmt"

	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/edit"
	"github.com/raftctl/raftctl/snapshot"
)

// cutEnd ends the log where it stops being whole: behind an unfinished last write, and else, where that is
// accepted, at the first hole.
type cutEnd struct{}

func (cutEnd) Name() string { return "cut" }
func (cutEnd) Doc() string {
	return "end the log where it stops being whole: behind that lies an unfinished write, or what is lost is accepted"
}
func (cutEnd) Applies(f *Finding) bool   { return f.Log != nil }
func (cutEnd) asked(o *PlanOptions) bool { return o.CutAfter > 0 }

func (r cutEnd) solve(ctx context.Context, d *draft, problems []*Finding) (*solution, error) {
	s, err := d.scan(ctx)
	if err != nil {
		return nil, err
	}
	h, end, err := d.cutAt()
	if err != nil || h == nil {
		return nil, err
	}
	for _, f := range contradicting(problems) {
		if d.before(edit.Place{Segment: f.File, Off: f.Off}, end) {
			return nil, nil
		}
	}
	last := raftpb.EntryID{Index: h.Doubt - 1}
	last.Term, _ = d.termOf(last.Index)
	if applied := d.applied(); applied.Index > last.Index {
		d.refuse(r.Name(), "the log would end at entry %d, and the database has applied entries up to %d: etcd would not apply "+
			"what comes next", last.Index, applied.Index)
		return nil, nil
	}
	out := &solution{rewrite: &edit.Rewrite{From: d.start(s, []edit.Insert{{At: end}}), Skip: s.skips, End: end}}
	d.lose(&out.cost, h.Doubt, max(h.Last, d.view().Last.Index))
	d.endWith(out, last)
	d.quarantineBeyond(out, last.Index)
	why := "nothing that is intact, or known to be committed, lies behind it"
	if out.loses() {
		why = "what lies behind can't be had back"
	}
	out.steps = []Step{newStep(r.Name(), problems, fmt.Sprintf("end the log behind entry %d, at %v", last.Index, end.Position()), why)}
	return out, nil
}

// quarantineBeyond puts the .snap files aside that go on behind the end of a log, and then those that are damaged and would
// be the newest.
func (d *draft) quarantineBeyond(out *solution, end uint64) {
	for i := range d.files {
		if f := &d.files[i]; f.Kind == snapshot.KindSnapshot && f.ID.Index > end {
			out.quarantine = append(out.quarantine, f.Name)
		}
	}
	if len(out.quarantine) == 0 {
		return
	}
	newest := uint64(0)
	for i := range d.files {
		if f := &d.files[i]; f.Kind == snapshot.KindSnapshot && f.Verdict == verdict.OK && f.ID.Index <= end {
			newest = max(newest, f.ID.Index)
		}
	}
	for i := range d.files {
		f := &d.files[i]
		if f.Kind == snapshot.KindSnapshot && f.Verdict != verdict.OK && f.ID.Index > newest && f.ID.Index <= end {
			out.quarantine = append(out.quarantine, f.Name)
		}
	}
}

// cutAt returns the hole at which the log is cut, and the place; nil if nothing is to be cut.
func (d *draft) cutAt() (h *hole, end edit.Place, err error) {
	holes := d.holes()
	if len(holes) > 0 {
		h = &holes[0]
	}
	if after := d.o.CutAfter; after > 0 && (h == nil || after < h.Doubt-1) {
		h = &hole{First: after + 1, Last: after, Doubt: after + 1}
		if end, err = d.behind(h); err != nil {
			return nil, edit.Place{}, fmt.Errorf("the log can't be cut behind entry %d: %w", after, err)
		}
		return h, end, nil
	}
	if h == nil {
		return nil, edit.Place{}, nil
	}
	if h.Doubt < h.First {
		pos, err := d.locate(h.Doubt)
		return h, edit.PlaceOf(pos), err
	}
	if end, err = d.within(h); end == (edit.Place{}) {
		end = edit.PlaceOf(d.scanned.last)
	}
	return h, end, err
}

// endWith lets a log that now ends with an entry end with a hard state that fits: it forgets no promise and commits
// nothing that isn't there.
func (d *draft) endWith(out *solution, last raftpb.EntryID) {
	have := d.view().State
	if have.IsEmpty() {
		return
	}
	state, _ := d.state(last, have)
	if state.Commit < have.Commit { // what earlier ones commit isn't there either
		out.rewrite.From, out.rewrite.Commit = edit.Place{}, state.Commit
	}
	if state != have || out.rewrite.Ordered || out.rewrite.End != (edit.Place{}) && !d.before(edit.PlaceOf(d.view().StatePos), out.rewrite.End) {
		out.rewrite.Insert = append(out.rewrite.Insert, d.stateRecord(state))
	}
}

// lose adds entries to those that a solution loses.
func (d *draft) lose(c *Cost, first, last uint64) {
	if first > last {
		return
	}
	if n := len(c.Lost); n > 0 && c.Lost[n-1].Last+1 == first {
		c.Lost[n-1].Last = last
	} else {
		c.Lost = append(c.Lost, Range{First: first, Last: last})
	}
	if commit := d.committed(); first <= commit {
		c.Committed += min(last, commit) + 1 - first
	}
	for _, r := range d.view().Ranges {
		if lo, hi := max(first, r.First), min(last, r.Last); lo <= hi {
			c.Intact += hi + 1 - lo
		}
	}
}

// maybe says what isn't known of the end of a log that is damaged; empty if it is known, as behind a write that
// was never finished.
func (d *draft) maybe() string {
	if !d.endsInDamage() || d.report.LostEnd() || d.headless() != "" { // else it is lost
		return ""
	}
	if d.endsTorn() {
		return ""
	}
	return fmt.Sprintf("nothing tells whether entries were written behind entry %d", d.view().LastIndex())
}
