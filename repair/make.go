package repair

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/repair/logs"
)

// PlanOptions say what a plan may use, and what it may cost.
type PlanOptions struct {
	// Donors are members of the same cluster that lost entries may be taken from: paths, as Open takes them.
	Donors []string
	Dir    string // that their relative paths start from; the process's own by default

	// AcceptLoss allows to lose entries that were committed, if nothing else helps.
	AcceptLoss bool
	// CutAfter, if not 0, asks to end the log behind this entry, whatever comes then.
	CutAfter uint64
	// Neutralise are entries that are to be replaced by empty ones of the same index and term.
	Neutralise []uint64

	Progress func(what string, done, total int64)
}

// maxRounds bounds how often a log is read again because something was corrected.
const maxRounds = 64

// NewPlan chooses what to do about a member. The plan's Status says what it comes to; that nothing helps is no
// error. The error is that of the context, of reading, or of donors that aren't of the member's cluster.
func NewPlan(ctx context.Context, m *Member, o PlanOptions) (plan *Plan, err error) {
	if m.Log == nil || m.Report == nil || m.Report.View == nil {
		return nil, fmt.Errorf("there is no log that could be repaired: %w", errors.Join(m.LogErr, errNoView))
	}
	d := &draft{o: &o, member: m, log: m.Log, report: m.Report, files: slices.Clone(m.Files), tried: map[string]bool{},
		plan: &Plan{Format: PlanFormat, Source: Source{Path: m.Name}}}
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.make(ctx); err != nil {
		return nil, err
	}
	if err := d.describeSource(ctx); err != nil {
		return nil, err
	}
	return d.plan, nil
}

var errNoView = errors.New("its history could not be followed")

func (d *draft) make(ctx context.Context) error {
	if err := d.correct(ctx); err != nil {
		return err
	}
	list := d.problems()
	if len(list) == 0 && d.o.CutAfter == 0 && len(d.o.Neutralise) == 0 {
		d.plan.Status = StatusHealthy
		if len(d.plan.Steps) > 0 {
			d.plan.Status = StatusRepair
		}
		return nil
	}
	var err error
	if d.donors, err = logs.OpenAll(ctx, d.o.Donors, logs.Options{Dir: d.o.Dir}); err != nil {
		return err
	}
	return d.choose(ctx, list)
}

// correct applies the remedies that concern single places, until none finds anything more to do.
func (d *draft) correct(ctx context.Context) error {
	for range maxRounds {
		changed := false
		for _, f := range d.problems() {
			for _, r := range placeRemedies {
				if !r.Applies(f) || d.tried[r.Name()+f.String()] {
					continue
				}
				done, err := r.do(ctx, d, f)
				if err != nil {
					return err
				}
				if changed = changed || done; done {
					break
				}
				d.tried[r.Name()+f.String()] = true
			}
		}
		if !changed {
			return nil
		}
		if err := d.reopen(ctx); err != nil {
			return err
		}
	}
	return nil
}

// choose takes the best of the solutions that remedies of the log as a whole propose.
func (d *draft) choose(ctx context.Context, problems []*Finding) error {
	var best *solution
	for _, r := range logRemedies {
		if !slices.ContainsFunc(problems, r.Applies) && !r.asked(d.o) {
			continue
		}
		s, err := r.solve(ctx, d, problems)
		if err != nil {
			return err
		}
		if s == nil {
			continue
		}
		if best == nil || s.better(best) {
			best = s
		}
	}
	if best == nil {
		d.plan.Status = StatusNone
		return nil
	}
	d.take(best)
	return nil
}

// take makes a solution the plan's.
func (d *draft) take(s *solution) {
	p := d.plan
	p.Steps = append(p.Steps, s.steps...)
	changed, spliced := p.Cost.Changed, p.Cost.Spliced+s.cost.Spliced
	p.Cost = s.cost
	p.Cost.Changed, p.Cost.Spliced = changed, spliced
	p.Cost.Maybe = d.maybe()
	p.Changes.Rewrite = s.rewrite
	p.Changes.Drop = append(p.Changes.Drop, s.drop...)
	p.Changes.Snapshots = append(p.Changes.Snapshots, s.snapshots...)
	p.Status = StatusRepair
	switch {
	case s.loses() && d.o.AcceptLoss:
		p.Status = StatusLossy
	case s.loses():
		p.Status = StatusLoss
	}
}

// count returns how many findings of a log are errors.
func errorsIn(list []Finding) (n int) {
	for i := range list {
		if list[i].Severity == verdict.Error {
			n++
		}
	}
	return n
}
