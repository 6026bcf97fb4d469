package repair

import (
	"context"
	"fmt"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// cutEnd ends the log where it stops being whole: behind an unfinished last write, and else, where
// that is accepted, at the first hole.
type cutEnd struct{}

func (cutEnd) Name() string { return "cut" }
func (cutEnd) Doc() string {
	return "end the log where it stops being whole: behind it lies an unfinished write, or what is lost is accepted"
}
func (cutEnd) Applies(f *Finding) bool   { return f.Log != nil }
func (cutEnd) asked(o *PlanOptions) bool { return o.CutAfter > 0 }

func (r cutEnd) solve(ctx context.Context, d *draft, problems []*Finding) (*solution, error) {
	s, err := d.scan(ctx)
	if err != nil {
		return nil, err
	}
	end, h, err := d.cutAt(s)
	if err != nil || h == nil {
		return nil, err
	}
	last := d.lastBefore(h)
	out := &solution{rewrite: &Rewrite{From: end, End: end}}
	d.lose(&out.cost, h.First, max(h.Last, d.view().Last.Index))
	if s.dirty && d.o.CutAfter == 0 && !out.loses() {
		out.cost.Maybe = d.maybe(h)
	}
	have := d.view().State
	if st, ok := d.state(last, have); ok || d.before(end, placeOf(d.view().StatePos)) {
		out.rewrite.Insert = []Insert{d.stateRecord(st)}
		if st.Commit < have.Commit {
			out.rewrite.From, out.rewrite.Commit = Place{}, st.Commit
		}
	}
	why := "nothing that is known to be committed lies behind it"
	if out.loses() {
		why = "what lies behind can't be had back"
	}
	out.steps = []Step{newStep(r.Name(), problems, fmt.Sprintf("end the log behind entry %d, at %v", last.Index, end.position()), why)}
	return out, nil
}

// cutAt returns where the log is cut, and the hole that is made or there; nil if it has none.
func (d *draft) cutAt(s *scan) (end Place, h *hole, err error) {
	holes := d.holes()
	if after := d.o.CutAfter; after > 0 && (len(holes) == 0 || after < holes[0].First-1) {
		pos, err := d.view().Locate(after + 1)
		return placeOf(pos), &hole{First: after + 1, Last: d.view().Last.Index, Tail: true}, err
	}
	if len(holes) == 0 {
		return Place{}, nil, nil
	}
	h = &holes[0]
	end, err = d.behind(h)
	if s.dirty && d.before(placeOf(s.first), end) {
		end = placeOf(s.first)
	}
	if end == (Place{}) {
		end = placeOf(s.last)
	}
	return end, h, err
}

// lastBefore returns the last entry before a hole.
func (d *draft) lastBefore(h *hole) raftpb.EntryID {
	term, _ := d.termOf(h.First - 1)
	return raftpb.EntryID{Term: term, Index: h.First - 1}
}

// lose adds entries that are lost to a cost, but for those that the database has applied.
func (d *draft) lose(c *Cost, first, last uint64) {
	if first > last {
		return
	}
	c.Lost = append(c.Lost, Range{First: first, Last: last})
	if commit := d.committed(); first <= commit {
		c.Committed += min(last, commit) + 1 - first
	}
}

// maybe says what isn't known of the end of a log that is damaged.
func (d *draft) maybe(h *hole) string {
	for i := range d.report.Findings {
		if f := &d.report.Findings[i]; f.Class == wal.ClassTorn && !d.report.CutShort() {
			return ""
		}
	}
	return fmt.Sprintf("nothing tells whether entries were written behind entry %d", h.First-1)
}
