package repair

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/logs"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/wal"
)

// draft is a plan in the making: the member's files as they are once what was decided so far is done.
type draft struct {
	o       *PlanOptions
	member  *Member
	plan    *Plan
	log     *wal.Log // as corrected so far
	laid    *overlay // over the source, for log
	stale   bool     // log isn't what was decided any more
	report  *outlook.Report
	files   []snapshot.File // those that stay
	donors  []*logs.Source
	tried   map[string]bool // corrections that found nothing, by finding
	scanned *scan           // of log; nil until it is asked for
	flavors *raftpb.Flavor  // of the last entries; nil until it is asked for
	unfit   *string         // why the database can't be built upon; nil until it was asked for
	joined  *logs.Joined    // of the log and the donors; nil until it is asked for
	own     *logs.Source    // the log, in joined
}

// view is the logical log as corrected so far.
func (d *draft) view() *wal.View { return d.report.View }

// reopen lays the changes so far over the source, and reads the log again.
func (d *draft) reopen(ctx context.Context) error {
	if err := d.closeLog(); err != nil {
		return err
	}
	if err := d.lay(); err != nil {
		return err
	}
	var err error
	d.report, err = outlook.Examine(ctx, d.log, outlook.Options{Member: d.log.Member()})
	if err == nil && d.report.View == nil {
		err = wal.ErrTooManyEvents
	}
	return err
}

// lay opens the log with the changes so far laid over it.
func (d *draft) lay() (err error) {
	d.laid, d.scanned = newOverlay(d.member.Log, &d.plan.Changes), nil
	d.log, err = d.laid.open(d.member.Log)
	return err
}

// closeLog closes what was opened for planning.
func (d *draft) closeLog() (err error) {
	if d.own != nil {
		err = d.own.Close()
		d.own, d.joined = nil, nil
	}
	if d.log != nil {
		err = errors.Join(err, d.log.Close())
	}
	d.log = nil
	return err
}

func (d *draft) close() error { return errors.Join(d.closeLog(), logs.CloseAll(d.donors)) }

// problems returns the findings of the log as corrected so far that keep it from being used as it is.
func (d *draft) problems() (list []*Finding) {
	for i := range d.report.Findings {
		f := &d.report.Findings[i]
		if f.Severity == verdict.Error {
			list = append(list, newLogFinding(d.member, f))
		}
	}
	return list
}

// newLogFinding returns the finding of a log's check.
func newLogFinding(m *Member, f *wal.Finding) *Finding {
	return &Finding{
		Class: string(f.Class), Severity: f.Severity, Check: CheckLog, Member: m, File: f.Pos.Segment, Off: f.Pos.Off,
		Len: f.Len, Evidence: f.Evidence, Log: f,
	}
}

// refuse notes a remedy that would help, and why it isn't taken. A second time is once enough.
func (d *draft) refuse(remedy, format string, args ...any) {
	r := Refusal{remedy, fmt.Sprintf(format, args...)}
	if !slices.Contains(d.plan.Refused, r) {
		d.plan.Refused = append(d.plan.Refused, r)
	}
}

// applied is how far the database has come; zero where it isn't known, or can't be trusted.
func (d *draft) applied() raftpb.EntryID { return d.member.Database.Applied() }

// committed returns the highest index that anything of the member's tells to be committed.
func (d *draft) committed() uint64 {
	v := d.view()
	commit := max(v.State.Commit, d.applied().Index)
	for i := range d.files {
		if f := &d.files[i]; f.Kind == snapshot.KindSnapshot && f.Verdict == verdict.OK {
			commit = max(commit, f.ID.Index)
		}
	}
	return commit
}
