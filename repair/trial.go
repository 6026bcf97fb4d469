package repair

import (
	"context"
	"errors"

	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/edit"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/wal"
)

// trial is what a log would be like with some changes.
type trial struct {
	report  *outlook.Report
	errors  int    // findings that are errors
	entries uint64 // live ones that are intact
	last    uint64
	commit  uint64 // that a hard state tells
	snaps   int    // snapshots of which there are records that count
}

func newTrial(r *outlook.Report) *trial {
	t := &trial{report: r}
	for i := range r.Findings {
		if r.Findings[i].Severity == verdict.Error {
			t.errors++
		}
	}
	for _, n := range r.Omitted {
		t.errors += n
	}
	if r.View != nil {
		t.last, t.commit = r.View.LastIndex(), r.View.State.Commit
		known := map[raftpb.EntryID]bool{}
		for i := range r.View.Snapshots {
			if s := &r.View.Snapshots[i]; s.Valid {
				known[s.EntryID] = true
			}
		}
		t.snaps = len(known)
		for _, rng := range r.View.Ranges {
			t.entries += rng.Len()
		}
	}
	return t
}

// helps reports whether a log is better than another, and lacks nothing that the other has.
func (t *trial) helps(than *trial) bool {
	return t.report.View != nil && t.errors < than.errors && t.entries >= than.entries && t.last >= than.last &&
		t.commit >= than.commit && t.snaps >= than.snaps
}

// try reads the log with changes laid over it.
func (d *draft) try(ctx context.Context, c *edit.Changes) (t *trial, err error) {
	log, err := edit.Lay(d.member.Log, c).Log(d.member.Log)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	report, err := outlook.Examine(ctx, log, outlook.Options{Member: log.Member()})
	if err != nil {
		return nil, err
	}
	return newTrial(report), nil
}

// cleaner reports whether fewer things are wrong with a log than with another, whatever it lacks.
func (t *trial) cleaner(than *trial) bool { return t.report.View != nil && t.errors < than.errors }

// attempt makes a change the plan's if it helps, and more says nothing against it; more may be nil.
func (d *draft) attempt(ctx context.Context, change func(*edit.Changes), more func(*trial) bool) (bool, error) {
	return d.attemptWith(ctx, change, func(t, than *trial) bool { return t.helps(than) && (more == nil || more(t)) })
}

// attemptWith makes a change the plan's if the log is good enough with it.
func (d *draft) attemptWith(ctx context.Context, change func(*edit.Changes), good func(t, than *trial) bool) (bool, error) {
	c := d.plan.Changes
	c.Drop = append([]string(nil), c.Drop...)
	c.Rename = append([]edit.Rename(nil), c.Rename...)
	c.Patches = append([]edit.Patch(nil), c.Patches...)
	change(&c)
	t, err := d.try(ctx, &c)
	if errors.Is(err, wal.ErrNoLog) {
		return false, nil
	}
	if err != nil || !good(t, newTrial(d.report)) {
		return false, err
	}
	d.plan.Changes, d.stale = c, true
	return true, nil
}
