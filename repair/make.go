package repair

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/repair/logs"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/wal"
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

	// Store asks for a plan that can be stored: with the sha256 of all that it was made for.
	Store bool

	// Start, if not empty, is a release of etcd that is to start on the result, such as "3.7": what it would end on is
	// a problem as well.
	Start string

	// Progress is told now and then how many bytes of the log were read again, and of how many; it may be nil.
	Progress func(done, total int64)
}

// maxRounds bounds how often a log is read again because something was corrected.
const maxRounds = 64

// NewPlan chooses what to do about a member. The plan's Status says what it comes to; that nothing helps is no
// error. The error is that of the context, of reading, or of donors that aren't of the member's cluster.
func NewPlan(ctx context.Context, m *Member, o PlanOptions) (plan *Plan, err error) {
	if m.Log == nil || m.Report == nil || m.Report.View == nil {
		return nil, fmt.Errorf("there is no log that could be repaired: %w", errors.Join(m.LogErr, errNoView))
	}
	d := &draft{o: &o, member: m, report: m.Report, files: slices.Clone(m.Files), tried: map[string]bool{},
		plan: &Plan{Format: PlanFormat, Source: Source{Path: m.Name, WalDir: m.walDir}, Steps: []Step{}}}
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.lay(); err != nil {
		return nil, err
	}
	if err := d.make(ctx); err != nil {
		return nil, err
	}
	if d.report != m.Report || slices.Equal(m.stamps, d.plan.Source.stamps) {
		d.plan.Source.view = d.view()
	}
	if o.Store {
		if err := d.seal(ctx); err != nil {
			return nil, err
		}
		if err := d.plan.Source.checkUnchanged(ctx, m.Name, m.Log); err != nil {
			return nil, err
		}
	}
	return d.plan, nil
}

var errNoView = errors.New("its history could not be followed")

func (d *draft) make(ctx context.Context) (err error) {
	if d.donors, err = logs.OpenAll(ctx, d.o.Donors, logs.Options{Dir: d.o.Dir}); err != nil {
		return fmt.Errorf("donors: %w", err)
	}
	if err := d.describeSource(); err != nil {
		return err
	}
	if err := d.correct(ctx); err != nil {
		return err
	}
	if err := d.checkAsked(); err != nil {
		return err
	}
	list, err := d.withStart(d.problems())
	if err != nil {
		return err
	}
	if len(list) == 0 && !d.asked() {
		d.plan.Status = StatusHealthy
		if len(d.plan.Steps) > 0 {
			d.plan.Status = StatusRepair
		}
		return nil
	}
	return d.choose(ctx, list)
}

// NoEntryError says that the log doesn't have an entry that is asked for.
type NoEntryError struct {
	Index       uint64
	First, Last uint64 // of the entries that it has, or lost
}

// Error says which entries there are.
func (e *NoEntryError) Error() string {
	return fmt.Sprintf("there is no entry %d: the log has %v", e.Index, Range{First: e.First, Last: e.Last})
}

// checkAsked checks that the entries are there that the user names. That the log is to end where it ends asks for
// nothing.
func (d *draft) checkAsked() error {
	first, last := d.view().Base.Index+1, max(d.view().LastIndex(), d.committed())
	for _, at := range append(slices.Clone(d.o.Neutralise), d.o.CutAfter) {
		if at > 0 && (at < first || at > last) {
			return &NoEntryError{at, first, last}
		}
	}
	if d.o.CutAfter >= d.view().LastIndex() {
		d.o.CutAfter = 0
	}
	return nil
}

// asked reports whether the user asks for a remedy, whatever was found.
func (d *draft) asked() bool {
	return slices.ContainsFunc(logRemedies, func(r logRemedy) bool { return r.asked(d.o) })
}

// correct applies the remedies that concern single places, until none finds anything more to do.
func (d *draft) correct(ctx context.Context) error {
	for range maxRounds {
		changed, err := d.round(ctx)
		if err != nil || !changed {
			return err
		}
		if err := d.reopen(ctx); err != nil {
			return err
		}
	}
	return nil
}

// round goes through the problems once. Bytes that are corrected change nothing for the next ones; what else is
// changed does, and ends the round.
func (d *draft) round(ctx context.Context) (changed bool, err error) {
	d.stale = false
	for _, f := range d.problems() {
		for _, r := range placeRemedies {
			key := r.Name() + " " + f.String()
			if !r.Applies(f) || d.tried[key] {
				continue
			}
			done, err := r.do(ctx, d, f)
			if err != nil {
				return false, err
			}
			d.tried[key] = !done
			if changed = changed || done; done {
				break
			}
		}
		if d.stale {
			break
		}
	}
	return changed, nil
}

// choose takes the best of the solutions that remedies of the log as a whole propose: only of those that the user asks
// for, if there are any.
func (d *draft) choose(ctx context.Context, problems []*Finding) error {
	problems = d.leave(problems)
	asked := d.asked()
	if len(problems) == 0 && !asked {
		d.plan.Status = StatusBeside
		if len(d.plan.Steps) > 0 {
			d.plan.Status = StatusRepair
		}
		return nil
	}
	if list := contradicting(problems); len(list) > 0 {
		d.refuse("rechain", "%v: nothing tells which of the two is right", list[0])
	}
	d.alone = d.isAlone(ctx)
	var best *solution
	var others []*solution
	for _, r := range logRemedies {
		if asked != r.asked(d.o) || !asked && !slices.ContainsFunc(problems, r.Applies) {
			continue // what is asked for comes before what costs less
		}
		s, err := r.solve(ctx, d, problems)
		if err != nil {
			return err
		}
		if s == nil {
			continue
		}
		ok, err := d.fit(ctx, r.Name(), s, problems)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		d.loseEnd(s)
		s.leaves = len(d.besideLog(s))
		switch {
		case best == nil:
			best = s
		case s.better(best):
			best, others = s, append(others, best)
		default:
			others = append(others, s)
		}
	}
	if best == nil {
		d.plan.Status = StatusNone
		for _, f := range problems {
			d.plan.Left = append(d.plan.Left, f.String())
		}
		return nil
	}
	d.leaveBeside(best)
	d.take(best)
	for _, s := range others {
		d.tellCost(&s.cost)
		d.plan.Others = append(d.plan.Others, Choice{s.steps, s.cost})
	}
	return nil
}

// fit makes the result of a solution the member's own, one that etcd can start from, and takes no damage over into it. ok
// is false if that can't be.
func (d *draft) fit(ctx context.Context, remedy string, s *solution, problems []*Finding) (ok bool, err error) {
	if owned, err := d.ownsAll(ctx, s); err != nil || !owned || !d.nameOwner(s) {
		return false, err
	}
	kept, err := d.keepSnapshot(ctx, s)
	if err != nil {
		return false, err
	}
	if !kept {
		d.refuse(remedy, "the log would have no record of a snapshot left that etcd could start from")
		return false, nil
	}
	d.copyWhole(s.rewrite, problems)
	return true, d.keepHead(ctx, s.rewrite)
}

// besideLog returns the problems that a solution doesn't mend, since they lie beside the log: only one that begins
// anew gets over a snapshot that is missing, or an end that is lost.
func (d *draft) besideLog(s *solution) (list []*Finding) {
	if s.rewrite != nil && s.rewrite.Begin != nil {
		return nil
	}
	beside := []wal.Class{wal.ClassSnapshotFile, outlook.ClassSnapshotNewer, outlook.ClassSecondLog, wal.ClassLostEnd}
	for i := range d.report.Findings {
		if f := &d.report.Findings[i]; f.Severity == verdict.Error && slices.Contains(beside, f.Class) {
			list = append(list, newLogFinding(d.member, f))
		}
	}
	return list
}

// leaveBeside notes what a solution leaves.
func (d *draft) leaveBeside(s *solution) {
	for _, f := range d.besideLog(s) {
		d.plan.Left = append(d.plan.Left, f.String())
		for k := range s.steps {
			s.steps[k].Findings = slices.DeleteFunc(s.steps[k].Findings, func(x string) bool { return x == f.String() })
		}
	}
}

// leave notes what no change of the log can mend, and returns the other problems.
func (d *draft) leave(problems []*Finding) (list []*Finding) {
	for _, f := range problems {
		if f.Class == classEtcdStop && d.stopsAt(f) == 0 || f.Class == string(classBehind) {
			d.plan.Left = append(d.plan.Left, f.String())
			continue
		}
		list = append(list, f)
	}
	return list
}

// take makes a solution the plan's.
func (d *draft) take(s *solution) {
	p := d.plan
	p.Steps = append(p.Steps, s.steps...)
	before := p.Cost
	p.Cost = s.cost
	p.Cost.Changed, p.Cost.Spliced = before.Changed, before.Spliced+s.cost.Spliced
	p.Cost.Folded = append(before.Folded, s.cost.Folded...)
	p.Cost.Maybe = d.maybe()
	p.Changes.Rewrite = s.rewrite
	p.Changes.Drop = append(p.Changes.Drop, s.drop...)
	p.Changes.Snapshots = append(p.Changes.Snapshots, s.snapshots...)
	p.Changes.Quarantine = append(p.Changes.Quarantine, s.quarantine...)
	d.tellCost(&p.Cost)
	p.Status = StatusRepair
	switch {
	case s.loses() && d.o.AcceptLoss:
		p.Status = StatusLossy
	case s.loses():
		p.Status = StatusLoss
	}
}

// withStart adds what keeps the release from starting that the user wants to start.
func (d *draft) withStart(list []*Finding) ([]*Finding, error) {
	if d.o.Start == "" {
		return list, nil
	}
	o := d.report.Outlook(d.o.Start)
	if o == nil {
		return nil, fmt.Errorf("nothing is known about etcd %s", d.o.Start)
	}
	if o.Stop == nil {
		return list, nil
	}
	f := &wal.Finding{Class: outlook.ClassEtcdStop, Severity: verdict.Error, Pos: o.Stop.Pos, Evidence: o.String()}
	return append(list, newLogFinding(d.member, f)), nil
}
