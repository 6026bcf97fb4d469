package repair

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/edit"
	"github.com/raftctl/raftctl/repair/logs"
	"github.com/raftctl/raftctl/wal"
)

// splice takes the entries that are missing from other members of the cluster.
type splice struct{}

func (splice) Name() string { return "splice" }
func (splice) Doc() string {
	return "take missing entries from other members that have them intact, where term and index fit on both sides"
}
func (splice) Applies(f *Finding) bool { return f.Log != nil }
func (splice) asked(*PlanOptions) bool { return false }

func (r splice) solve(ctx context.Context, d *draft, problems []*Finding) (*solution, error) {
	if len(d.donors) == 0 || len(contradicting(problems)) > 0 {
		return nil, nil
	}
	s, err := d.scan(ctx)
	if err != nil {
		return nil, err
	}
	joined, err := d.join(ctx)
	if err != nil {
		return nil, err
	}
	out := &solution{rewrite: &edit.Rewrite{Skip: s.skips}, cost: Cost{Written: s.size}}
	for _, h := range d.holes() {
		if err := d.fill(joined, &h, out); err != nil {
			d.refuse(r.Name(), "%v: %v", &h, err)
			return nil, missingOnly(err)
		}
	}
	if out.cost.Spliced == 0 && len(out.steps) == 0 {
		return nil, nil
	}
	out.rewrite.From = d.start(s, out.rewrite.Insert)
	if s.tangled {
		out.rewrite.Ordered, out.rewrite.From, out.rewrite.Skip = true, edit.Place{}, nil
		out.cost.Written = d.report.Bytes
	}
	d.endWith(out, d.lastOf(out))
	for i := range out.steps {
		out.steps[i].Findings = newStep("", problems, "", "").Findings
	}
	return out, nil
}

// missingOnly returns nil for an error that says that the donors don't have what is wanted.
func missingOnly(err error) error {
	_, gap := errors.AsType[*logs.GapError](err)
	_, damage := errors.AsType[*logs.DamageError](err)
	if gap || damage || errors.Is(err, errDoubt) {
		return nil
	}
	return err
}

var errDoubt = errors.New("no donor shows that the log goes on there")

// fill takes the entries of a hole from the donors.
func (d *draft) fill(joined *logs.Joined, h *hole, out *solution) error {
	first, err := d.agreedUpTo(joined, h)
	if err != nil {
		return err
	}
	last := h.Last
	if h.Tail {
		last = max(last, joined.Last().Index)
	}
	at, err := d.within(h)
	if err != nil {
		return err
	}
	if last < first {
		if h.Tail {
			return nil
		}
		return d.sameAround(joined, h)
	}
	rng, err := joined.Range(first-1, last)
	if err != nil && h.Tail && h.missing() < last+1-first {
		last = h.Last // what is behind that need not be had
		if last < first {
			return nil
		}
		rng, err = joined.Range(first-1, last)
	}
	if err != nil {
		return err
	}
	var from []string
	for _, run := range rng.Runs() {
		donor := d.donorOf(run.Source)
		if donor == 0 {
			return errDoubt
		}
		out.rewrite.Insert = append(out.rewrite.Insert, edit.Insert{At: at, Donor: donor, First: run.First, Last: run.Last})
		from = append(from, fmt.Sprintf("%v from %s", Range{First: run.First, Last: run.Last}, run.Source.Name))
	}
	out.cost.Spliced += last + 1 - first
	why := "each is intact there, and known to be committed; index and term fit on both sides"
	if first < h.First {
		why += fmt.Sprintf("; of %v the log has only what the cluster has overwritten", Range{First: first, Last: h.First - 1})
	}
	if u := rng.Uncommitted(); u.First <= u.Last {
		why += fmt.Sprintf("; %v are not known to be committed", u)
	}
	out.steps = append(out.steps, Step{Remedy: "splice", Does: "take " + strings.Join(from, ", "), Why: why})
	return nil
}

// agreedUpTo returns the first entry that is to be taken for a hole: ahead of it, the log has what the cluster has
// committed. Those of a lower term than the cluster's were overwritten by what is missing.
func (d *draft) agreedUpTo(joined *logs.Joined, h *hole) (first uint64, err error) {
	for first = h.First; ; first-- {
		want, known := joined.Term(first - 1)
		have, held := d.termOf(first - 1)
		switch {
		case first > h.Doubt && !d.donorsHold(first-1):
			return 0, errDoubt
		case !known || !held || want == have:
			return first, nil
		case want < have:
			return 0, errDoubt
		}
	}
}

// donorsHold reports whether a donor has the entry of an index, intact.
func (d *draft) donorsHold(index uint64) bool {
	holds := func(r wal.IndexRange) bool { return r.First <= index && index <= r.Last }
	return slices.ContainsFunc(d.donors, func(s *logs.Source) bool { return slices.ContainsFunc(s.View.Ranges, holds) })
}

// sameAround checks that the entries on both sides of a hole in which nothing need be missing are those that
// the cluster has.
func (d *draft) sameAround(joined *logs.Joined, h *hole) error {
	for _, index := range []uint64{h.First - 1, h.First} {
		term, ok := joined.Term(index)
		if mine, have := d.termOf(index); !ok || !have || term != mine {
			return errDoubt
		}
	}
	return nil
}

// termOf returns the term of a live entry of the log.
func (d *draft) termOf(index uint64) (term uint64, ok bool) {
	for _, t := range d.view().Terms {
		if t.Index <= index && index < t.Index+t.N {
			term, ok = t.Term, true
		}
	}
	if b := d.view().Base; index == b.Index && b.Term > 0 {
		return b.Term, true
	}
	return term, ok
}

// donorOf returns the number of a donor, from 1 on; 0 for the log itself.
func (d *draft) donorOf(s *logs.Source) int {
	for i, donor := range d.donors {
		if donor == s {
			return i + 1
		}
	}
	return 0
}

// lastOf returns the entry that a log ends with to which entries of donors were added.
func (d *draft) lastOf(out *solution) raftpb.EntryID {
	last := d.view().Last
	if out.rewrite == nil || d.joined == nil {
		return last
	}
	for i := range out.rewrite.Insert {
		if in := &out.rewrite.Insert[i]; in.Donor > 0 && in.Last > last.Index {
			term, _ := d.joined.Term(in.Last)
			last = raftpb.EntryID{Term: max(term, last.Term), Index: in.Last}
		}
	}
	return last
}
