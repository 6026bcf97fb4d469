package restore

import (
	"context"
	"errors"
	"slices"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/rehearse"
	"github.com/raftctl/raftctl/snapshot/database"
)

// Result is what a restore has made.
type Result struct {
	*Plan
	Checked bool // the pages of the base were checked

	Rehearsals []*rehearse.Report // of the members, where that was asked for
}

// run is one restore.
type run struct {
	plan   *Plan
	fs     vfs.FS
	all    []*staged
	result *Result
	hash   *database.HashKV // of the database, once it was computed
}

// Run makes the data directories. They appear under their names when all are written, synced and
// checked; until then, and after an error, there is none.
func (p *Plan) Run(ctx context.Context) (*Result, error) {
	result := &Result{Plan: p}
	r := &run{plan: p, fs: p.o.FS, result: result}
	if err := r.do(ctx); err != nil {
		return nil, errors.Join(err, r.remove())
	}
	return result, nil
}

// do does the steps. What it has made by then, it has noted in r.all.
func (r *run) do(ctx context.Context) error {
	p := r.plan
	if err := r.stage(); err != nil {
		return err
	}
	first := r.all[0].Database()
	if err := r.copyBase(ctx, first); err != nil {
		return err
	}
	if err := r.verifyBase(ctx); err != nil {
		return err
	}
	if err := r.replay(ctx); err != nil {
		return err
	}
	if err := p.edit(r.fs, first); err != nil {
		return err
	}
	for _, s := range r.all {
		if err := r.finish(ctx, s, first); err != nil {
			return err
		}
	}
	return r.place(ctx)
}

// replay lets the caller change the copy of the base.
func (r *run) replay(ctx context.Context) error {
	p := r.plan
	if p.o.Replay == nil {
		return nil
	}
	replayed, err := p.o.Replay(ctx, r.all[0].Snap())
	if err != nil {
		return err
	}
	p.Revision, p.store = replayed.Revision, replayed.Revision
	if p.o.BumpSeen {
		p.seen = replayed.Seen
	}
	return nil
}

// stage makes the folders that become the data directories.
func (r *run) stage() error {
	for i := range r.plan.Members {
		m := &r.plan.Members[i]
		s, err := r.plan.newStaged(m)
		if err != nil {
			return err
		}
		r.all = append(r.all, s)
		if err := s.Make(); err != nil {
			return err
		}
	}
	return nil
}

// verifyBase checks the base, unless its sum has shown that it is what was saved.
func (r *run) verifyBase(ctx context.Context) error {
	b := r.plan.Base
	if b.Sum == SumOK || r.plan.o.SkipVerify {
		return nil
	}
	r.result.Checked = true
	return b.verify(ctx, func(done int64) { r.progress(StepVerify, done, b.Size) })
}

// finish completes the directory of a member.
func (r *run) finish(ctx context.Context, s *staged, first string) error {
	if s.Database() != first {
		if err := r.spread(ctx, first, s.Database()); err != nil {
			return err
		}
	}
	if err := r.syncFile(s.Database()); err != nil {
		return err
	}
	if err := r.plan.writeLog(r.fs, s); err != nil {
		return err
	}
	if err := s.Sync(); err != nil {
		return err
	}
	if err := r.check(ctx, s); err != nil {
		return err
	}
	return r.rehearse(ctx, s)
}

// place gives all results their names, or none.
func (r *run) place(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := r.plan.checkVacant(); err != nil { // it may have come meanwhile
		return err
	}
	for _, s := range r.all {
		if err := s.Place(); err != nil {
			return err
		}
	}
	return nil
}

// remove removes what was made.
func (r *run) remove() error {
	var errs []error
	for _, s := range slices.Backward(r.all) { // the last may lie in a folder that the first has made
		errs = append(errs, s.Remove())
	}
	return errors.Join(errs...)
}

func (r *run) progress(step Step, done, total int64) {
	if r.plan.o.Progress != nil {
		r.plan.o.Progress(step, done, total)
	}
}
