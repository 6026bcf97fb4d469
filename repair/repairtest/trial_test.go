package repairtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/wal"
)

// trial is a repair of a specimen, as a user tries it.
type trial struct {
	*specimen
	dir    string   // of the damaged member
	donors []string // directories of other members
	accept bool     // --accept-loss
	out    string   // where the result goes; it is removed if this is empty

	found  *outlook.Report // before the repair
	plan   *repair.Plan
	err    error   // of planning or applying
	made   *member // what came of it; nil if nothing was made
	files  map[string][]byte
	wrong  []string // a success that is none
	faults []string // anything else that should be otherwise
}

// run makes a plan, applies it if it may be, and judges both.
func (r *trial) run(ctx context.Context) {
	defer func() {
		if p := recover(); p != nil {
			r.wrong = append(r.wrong, fmt.Sprintf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	r.repair(ctx)
	if now, err := readDir(r.dir); err != nil || differs(r.specimen.dir(), now) != "" {
		r.wrong = append(r.wrong, fmt.Sprintf("the source has changed: %s %v", differs(r.specimen.dir(), now), err))
	}
	if r.plan == nil {
		return
	}
	r.judgePlan()
	if r.made != nil {
		r.judgeResult(ctx)
	}
}

func (r *trial) repair(ctx context.Context) {
	m, err := repair.Open(ctx, r.dir, repair.OpenOptions{})
	if err != nil {
		r.err = err
		return
	}
	defer func() { _ = m.Close() }()
	r.found = m.Report
	r.plan, r.err = repair.NewPlan(ctx, m, repair.PlanOptions{Donors: r.donors, AcceptLoss: r.accept})
	if r.err != nil || r.plan.Status == repair.StatusHealthy {
		return
	}
	out := r.out
	if out == "" {
		out = filepath.Join(filepath.Dir(r.dir), "result")
		defer func() { _ = os.RemoveAll(out) }()
	}
	_, err = r.plan.Apply(ctx, m, repair.ApplyOptions{FS: hastyFS{vfs.OS}, Output: out})
	if r.plan.Status == repair.StatusLoss || r.plan.Status == repair.StatusNone {
		if err == nil {
			r.wrong = append(r.wrong, "a plan was applied that loses what is committed")
		}
		return
	}
	if err != nil {
		r.err = err
		if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
			r.wrong = append(r.wrong, fmt.Sprintf("it failed, and there is a result: %v", r.err))
		}
		return
	}
	if r.files, err = readDir(out); err != nil {
		r.wrong = append(r.wrong, err.Error())
		return
	}
	r.made = memberOf(r.files)
	r.again(ctx, out)
	if err := r.made.etcdReads(out); err != nil {
		r.bad("etcd's reader: %v", err)
	}
}

// again makes a plan for the result: there must be nothing to do.
func (r *trial) again(ctx context.Context, out string) {
	m, err := repair.Open(ctx, out, repair.OpenOptions{})
	if err != nil {
		r.wrong = append(r.wrong, err.Error())
		return
	}
	defer func() { _ = m.Close() }()
	p, err := repair.NewPlan(ctx, m, repair.PlanOptions{Donors: r.donors})
	if err != nil || p.Status != repair.StatusHealthy {
		r.bad("a second run has something to do: %v", err)
		if p != nil {
			r.bad("it is %s: %v, left %v", p.Status, p.Steps, p.Left)
		}
	}
	for i := range m.Report.Findings {
		if f := &m.Report.Findings[i]; f.Severity == wal.SeverityError {
			r.bad("the result: %v", f)
		}
	}
}

// memberOf reads what a log says that is healthy.
func memberOf(files map[string][]byte) *member {
	m := &member{name: "result", snaps: map[string][]byte{}}
	for _, path := range sortedKeys(files) {
		name, ok := wal.ParseSegmentName(strings.ToLower(strings.TrimPrefix(path, walDir))) // etcd reads capitals, too
		if ok {
			m.segs = append(m.segs, parseSegment(name, files[path]))
		}
	}
	m.understand()
	return m
}

// remedies are the names of the remedies of a plan, each once.
func (r *trial) remedies() (list []string) {
	for _, s := range r.plan.Steps {
		if !slices.Contains(list, s.Remedy) {
			list = append(list, s.Remedy)
		}
	}
	return list
}

// outcome is what a trial came to, in a word.
func (r *trial) outcome() string {
	switch {
	case r.plan == nil:
		return "no log"
	case r.err != nil:
		return "failed"
	case r.plan.Status == repair.StatusHealthy:
		return "nothing to do"
	case r.plan.Status == repair.StatusLoss:
		return "refused"
	case r.plan.Status == repair.StatusNone:
		return "impossible"
	case r.plan.Status == repair.StatusLossy:
		return "lossy"
	}
	list := r.remedies()
	for _, name := range []string{"begin_anew", "splice", "neutralise", "cut", "drop_leading", "rechain", "drop_segment"} {
		if slices.Contains(list, name) {
			return name
		}
	}
	return strings.Join(list, "+")
}

// complaints are what is wrong with a trial, a line each.
func (r *trial) complaints() (text string) {
	for _, s := range r.wrong {
		text += "\tWRONG SUCCESS: " + s + "\n"
	}
	for _, s := range r.faults {
		text += "\tfault: " + s + "\n"
	}
	if r.err != nil && !r.nameless() {
		text += "\tfailed: " + r.err.Error() + "\n"
	}
	return text
}
