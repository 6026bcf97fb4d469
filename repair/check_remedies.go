package repair

import (
	"context"
	"slices"

	"github.com/raftctl/raftctl/internal/verdict"
)

// tellRemedies says at each problem of the log what would mend it, and at what cost. Where there is none, nothing
// more is read.
func (x *examination) tellRemedies(ctx context.Context) error {
	problem := func(f Finding) bool { return f.Log != nil && f.Severity == verdict.Error }
	if x.Running || x.Log == nil || x.Report == nil || x.Report.View == nil || !slices.ContainsFunc(x.findings, problem) {
		return nil
	}
	p, err := NewPlan(ctx, x.Member, PlanOptions{})
	if err != nil {
		return ctx.Err() // 'wal repair' says why there is no plan
	}
	x.Plan = p
	x.propose(p.Steps, &p.Cost)
	for i := range p.Others {
		x.propose(p.Others[i].Steps, &p.Others[i].Cost)
	}
	return nil
}

// propose notes steps at the findings that they mend.
func (x *examination) propose(steps []Step, cost *Cost) {
	for i := range x.findings {
		f := &x.findings[i]
		for _, s := range steps {
			if f.Log == nil || !slices.Contains(s.Findings, f.String()) {
				continue
			}
			p := Proposal{s.Remedy, s.Does, cost}
			if slices.ContainsFunc(placeRemedies, func(r placeRemedy) bool { return r.Name() == s.Remedy }) {
				p.Cost = &Cost{} // what else the plan does costs what it costs
			}
			f.Remedies = append(f.Remedies, p)
		}
	}
}
