package repair

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/crosscheck"
	"github.com/raftctl/raftctl/repair/edit"
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
	log     *wal.Log      // as corrected so far
	laid    *edit.Overlay // over the source, for log
	stale   bool          // log isn't what was decided any more
	report  *outlook.Report
	files   []snapshot.File // those that stay
	donors  []*logs.Source
	tried   map[string]bool      // corrections that found nothing, by finding
	scanned *scan                // of log; nil until it is asked for
	places  map[uint64]located   // of entries of log that were asked for, by index
	flavors *raftpb.Flavor       // of the last entries; nil until it is asked for
	unfit   *string              // why the database can't be built upon; nil until it was asked for
	joined  *logs.Joined         // of the log and the donors; nil until it is asked for
	own     *logs.Source         // the log, in joined
	alone   bool                 // the member is the only voter
	found   map[uint64]LostEntry // what damaged bytes tell of, by index; nil until it is asked for
}

// view is the logical log as corrected so far.
func (d *draft) view() *wal.View { return d.report.View }

// reopen lays the changes so far over the source, and reads the log again.
func (d *draft) reopen(ctx context.Context) error {
	for key := range d.tried { // what didn't help before may do so now
		if !strings.HasPrefix(key, correctBytes{}.Name()+" ") {
			delete(d.tried, key)
		}
	}
	if err := d.closeLog(); err != nil {
		return err
	}
	if err := d.lay(); err != nil {
		return err
	}
	var err error
	d.report, err = outlook.Examine(ctx, d.log, outlook.Options{Member: d.log.Member(),
		Verify: wal.VerifyOptions{Progress: progressOf(d.log, d.o.Progress)}})
	if err == nil && d.report.View == nil {
		err = wal.ErrTooManyEvents
	}
	return err
}

// lay opens the log with the changes so far laid over it.
func (d *draft) lay() (err error) {
	d.laid, d.scanned, d.found, d.places = edit.Lay(d.member.Log, &d.plan.Changes), nil, nil, map[uint64]located{}
	d.log, err = d.laid.Log(d.member.Log)
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
	return append(append(list, d.lostEnd()...), d.snapAhead()...)
}

// lostEnd returns the finding that the database has applied entries that the log doesn't reach: etcd would not apply
// what comes to their places.
func (d *draft) lostEnd() []*Finding {
	applied, last := d.applied().Index, d.view().LastIndex()
	segments := d.log.Segments()
	if applied <= last || len(segments) == 0 {
		return nil
	}
	f := &wal.Finding{Class: classAhead, Severity: verdict.Error, Pos: wal.Position{Segment: segments[len(segments)-1].File},
		Evidence: fmt.Sprintf("the log ends at entry %d, and the database has applied entries up to %d", last, applied)}
	return []*Finding{newLogFinding(d.member, f)}
}

const (
	classAhead  = wal.Class(crosscheck.ClassAhead)
	classBehind = wal.Class(crosscheck.ClassBehind)
)

// snapAhead returns the finding that a release of etcd would start from a .snap file of more entries than the database has
// applied. It ends on that, unless the leader's database that the file came with is still there. No change of the log
// alone helps.
func (d *draft) snapAhead() []*Finding {
	applied := d.applied().Index
	if applied == 0 {
		return nil
	}
	for i := range d.report.Outlooks {
		start := d.report.Outlooks[i].Read.Start
		at := slices.IndexFunc(d.files, func(f snapshot.File) bool { return f.Kind == snapshot.KindSnapshot && f.ID == start })
		received := func(f snapshot.File) bool { return f.Kind == snapshot.KindReceived && f.ID.Index == start.Index }
		if start.Index <= applied || at < 0 || slices.ContainsFunc(d.files, received) {
			continue
		}
		f := &wal.Finding{Class: classBehind, Severity: verdict.Error, Pos: wal.Position{Segment: d.files[at].Name},
			Evidence: fmt.Sprintf("etcd would start from the snapshot of entry %d, and the database has applied entries up to %d",
				start.Index, applied)}
		return []*Finding{newLogFinding(d.member, f)}
	}
	return nil
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
	if d.alone {
		commit = max(commit, v.LastIndex(), d.lastDamaged())
	}
	return commit
}

// isAlone finds out whether the member is its cluster's only voter: then whatever it had written was committed.
func (d *draft) isAlone(ctx context.Context) bool {
	v := d.view()
	self := []uint64{v.Metadata.NodeID}
	if db := d.member.Database; db != nil && len(db.Members.Members) > 0 {
		conf := confOfMembers(&db.Members)
		return slices.Equal(conf.Voters, self)
	}
	if s := v.NewestSnapshot(); s != nil && s.ConfState != nil {
		return slices.Equal(s.ConfState.Voters, self)
	}
	if len(v.Ranges) == 0 {
		return false
	}
	last := v.Ranges[0].Last
	conf, ok := crosscheck.ReplayKept(d.report, last)
	if !ok {
		var err error
		conf, err = crosscheck.Replay(ctx, d.log, v, last)
		ok = err == nil
	}
	return ok && conf != nil && slices.Equal(conf.Voters, self)
}

// lastDamaged returns the highest index of the entries at the damaged end of the log that their bytes still tell
// of, in a row with what is intact.
func (d *draft) lastDamaged() uint64 {
	last := d.view().LastIndex()
	if d.scanned == nil || !d.endsInDamage() || d.endsTorn() {
		return last
	}
	found := d.damagedEntries()
	for {
		if _, ok := found[last+1]; !ok {
			return last
		}
		last++
	}
}

// endsTorn reports whether the log ends in a write that was never finished: what was in it, nobody was told of.
func (d *draft) endsTorn() bool {
	torn := func(f wal.Finding) bool { return f.Class == wal.ClassTorn }
	return slices.ContainsFunc(d.report.Findings, torn) && !d.report.CutShort() && d.headless() == ""
}
