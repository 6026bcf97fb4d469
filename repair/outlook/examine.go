package outlook

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// Options tells Examine what to look at. The zero value is the log and what lies beside it.
type Options struct {
	// Verify goes to wal's Verify. Its Snapshots are set by Examine.
	Verify wal.VerifyOptions

	// Member says where the member's files lie; nil for what lies beside the log. It tells of a log
	// that lies elsewhere than in its data directory.
	Member *datadir.Member
}

// Report is what Examine found: wal's report with more findings, and a verdict that they count in.
type Report struct {
	wal.Report

	// Outlooks take the place of the log's own: one for each group of releases that may differ, in
	// ascending order.
	Outlooks []Outlook

	// Own is the outlook of the release that the cluster runs; nil if that isn't known.
	Own *Outlook

	// KeptFrom is the index from which on entries were kept that may end a release, and membership
	// changes: see Kept.
	KeptFrom uint64
	// KeptBase is the intact .snap file of the entry before that; nil if there is none.
	KeptBase *raftpb.SnapshotMetadata
}

// Outlook returns the outlook that holds for a release, such as "3.5.7" or "3.6". It is nil for a
// release that nothing is known about.
func (r *Report) Outlook(release string) *Outlook {
	i := slices.IndexFunc(r.Outlooks, func(o Outlook) bool { return o.Read.Holds(release) })
	if i < 0 {
		return nil
	}
	return &r.Outlooks[i]
}

// Examine verifies a log with the files beside it, and tells what etcd would do with them. Beside
// Verify's pass over the log it decodes the entries behind the snapshots that releases start from,
// once. The error is that of the context, or of reading those entries.
func Examine(ctx context.Context, log *wal.Log, o Options) (*Report, error) {
	x := &examination{log: log, member: cmp.Or(o.Member, log.Member())}
	x.readSnapshots(ctx)
	o.Verify.Snapshots = x.intact()
	x.keptFrom = x.newestIntact() + 1
	o.Verify.Keep, o.Verify.KeepFrom = special, x.keptFrom
	verified, err := log.Verify(ctx, o.Verify)
	if err != nil {
		return nil, err
	}
	x.report = &Report{Report: *verified, KeptFrom: x.keptFrom, KeptBase: x.keptBase()}
	x.checkFiles()
	x.checkSecond(ctx)
	if err := x.judge(ctx); err != nil {
		return nil, err
	}
	x.checkStop()
	x.report.Findings = append(x.report.Findings, x.found...)
	x.setVerdict()
	return x.report, nil
}

// examination is one run of Examine.
type examination struct {
	log    *wal.Log
	member *datadir.Member
	snaps  []snapFile // newest first
	listed bool       // the .snap files are known
	report *Report
	own    *Outlook // of the release that the cluster runs; nil if that isn't known
	found  []wal.Finding

	keptFrom uint64 // from this index on special entries are kept
}

// newestIntact returns the index of the newest .snap file that is intact, which most releases start
// from, 0 if there is none.
func (x *examination) newestIntact() uint64 {
	newest := uint64(0)
	for _, id := range x.intact() {
		newest = max(newest, id.Index)
	}
	return newest
}

// keptBase returns what the newest intact .snap file says of itself.
func (x *examination) keptBase() *raftpb.SnapshotMetadata {
	for i := range x.snaps {
		if f := &x.snaps[i]; f.id.Index > 0 && f.id.Index == x.keptFrom-1 && f.err == nil {
			return &raftpb.SnapshotMetadata{ConfState: f.conf, Index: f.id.Index, Term: f.id.Term}
		}
	}
	return nil
}

// add adds a finding about a file beside the log.
func (x *examination) add(c wal.Class, s wal.Severity, at wal.Position, evidence string) {
	x.found = append(x.found, wal.Finding{Class: c, Severity: s, Pos: at, Evidence: evidence})
}

// setVerdict makes the verdict one on all findings.
func (x *examination) setVerdict() {
	for i := range x.found {
		switch f := &x.found[i]; {
		case f.Severity == wal.SeverityError:
			x.report.Verdict = wal.VerdictProblem
		case f.Class == wal.ClassUnchecked && x.report.Verdict == wal.VerdictOK:
			x.report.Verdict = wal.VerdictUnchecked
		}
	}
}

// judge plays through what each group of releases does behind reading.
func (x *examination) judge(ctx context.Context) error {
	r := x.report
	r.Outlooks = make([]Outlook, len(r.Report.Outlooks))
	for i, o := range r.Report.Outlooks {
		r.Outlooks[i] = Outlook{Read: o, Action: o.Action}
	}
	var judges []*judge
	for i := range r.Outlooks {
		o := &r.Outlooks[i]
		if !starts(o.Action) || r.View == nil {
			continue
		}
		if o.Stop = x.stopAtStart(o); o.Stop != nil {
			o.Action = o.Stop.Action
			continue
		}
		o.Unjudged = notLookedAt
		j := newJudge(o, r.View.Metadata.NodeID, x.membership(o))
		j.fresh, j.first = x.databaseMissing(), r.First.Index
		j.newest, _ = parseVersion(r.Outlooks[len(r.Outlooks)-1].Read.To)
		judges = append(judges, j)
	}
	err := x.replay(ctx, judges)
	x.own = x.ownOutlook(judges)
	r.Own = x.own
	x.adviseOnOthers()
	return err
}

// adviseOnOthers replaces the advice on a log that is none of etcd's: no release of etcd is the way
// out.
func (x *examination) adviseOnOthers() {
	if v := x.report.View; v == nil || v.MetadataErr == nil {
		return
	}
	for i := range x.report.Outlooks {
		if s := x.report.Outlooks[i].Stop; s != nil {
			s.Advice = "the metadata is not etcd's: start the program that wrote the log"
		}
	}
}

// starts reports whether a release goes on to apply what it has read.
func starts(a wal.Action) bool { return a != wal.ActionRefuses && a != wal.ActionUnknown }

// replay hands the entries that some release applies on to the judges, in one pass. A second one is
// needed where a downgrade was under way at the end of the log: the database tells a server so from
// the beginning.
func (x *examination) replay(ctx context.Context, judges []*judge) error {
	if len(judges) == 0 {
		return nil
	}
	if err := x.pass(ctx, judges); err != nil {
		return err
	}
	target, ok := downgradeTarget(judges)
	if !ok {
		return nil
	}
	var again []*judge
	for _, j := range judges {
		if j.o.Stop != nil && j.o.Stop.Trigger == string(triggerVersion) && j.minor == (version{3, 5}) {
			again = append(again, j.again(target, x.membership(j.o)))
		}
	}
	return x.pass(ctx, again)
}

// downgradeTarget returns the version that a downgrade goes to which was under way at the end of
// what was applied.
func downgradeTarget(judges []*judge) (target version, ok bool) {
	var applied uint64
	for _, j := range judges {
		if j.members.Index() < applied {
			continue
		}
		applied = j.members.Index()
		s, lowering := j.members.Downgrade()
		v, isVersion := parseVersion(s)
		target, ok = v, lowering && isVersion
	}
	return target, ok
}

// pass hands the entries that some release applies on to the judges.
func (x *examination) pass(ctx context.Context, judges []*judge) error {
	if len(judges) == 0 {
		return nil
	}
	from, to := judges[0].o.Read.Start.Index, uint64(0)
	for _, j := range judges {
		from = min(from, j.o.Read.Start.Index)
		to = max(to, j.o.Read.Last.Index)
	}
	request := new(decode.Request)
	for e, err := range x.entries(from + 1) {
		if err != nil {
			return fmt.Errorf("reading entries from %d on: %w", from+1, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if e.Index > to {
			break
		}
		s := newStep(e.Entry, e.Record.Pos, request)
		for _, j := range judges {
			j.pass(e.Index - 1)
			j.apply(s)
		}
	}
	for _, j := range judges {
		j.pass(to)
	}
	return nil
}

// entries yields the live entries from an index on that are special, and perhaps others.
func (x *examination) entries(from uint64) iter.Seq2[wal.LiveEntry, error] {
	view := x.report.View
	if !x.report.KeptAll || from < x.keptFrom {
		return view.Entries(from)
	}
	return func(yield func(wal.LiveEntry, error) bool) {
		var e raftpb.Entry
		for i := range x.report.Kept {
			k := &x.report.Kept[i]
			if e.UnmarshalAlias(k.Data) != nil || e.Index < from || !view.Live(k.Pos, e.Index) {
				continue
			}
			if !yield(wal.LiveEntry{Entry: &e, Record: &wal.Record{Pos: k.Pos, ID: e.ID()}}, nil) {
				return
			}
		}
	}
}

// membership returns who is a member as of the snapshot that releases start from; nil if it isn't
// known.
func (x *examination) membership(o *Outlook) *raftpb.ConfState {
	if f := x.snapOf(o.Read.Start); f != nil {
		return &f.conf
	}
	for _, s := range x.report.View.Snapshots {
		if s.EntryID == o.Read.Start && s.ConfState != nil {
			return s.ConfState
		}
	}
	return nil
}

// stopAtStart returns what ends releases before they apply anything; nil if nothing is known to.
func (x *examination) stopAtStart(o *Outlook) *Stop {
	start := o.Read.Start
	if start.Index == 0 {
		return nil
	}
	if x.databaseMissing() && !x.hasSnapDB(start.Index) {
		if r := ruleFor(triggerNoDatabase, &o.Read); r != nil {
			stop := r.stop("")
			stop.Pos.Segment = databaseName
			return stop
		}
	}
	f := x.snapOf(start)
	if f == nil {
		return nil
	}
	var t trigger
	var detail string
	minor, _ := parseVersion(o.Read.From)
	switch v, ok := parseVersion(f.store.version); {
	case ok && minor.less(v) && minor.less(version{3, 6}):
		t, detail = triggerSnapVersion, v.String()
	case ok && minor.less(v):
		t, detail = triggerStorage, v.String()
	case f.store.custom != "":
		t, detail = triggerV2Content, f.store.custom
	}
	r := ruleFor(t, &o.Read)
	if r == nil {
		return nil
	}
	stop := r.stop(detail)
	stop.Pos = wal.Position{Segment: f.name()}
	return stop
}

// databaseMissing reports whether the member has no database, for certain: from an archive it isn't
// unpacked.
func (x *examination) databaseMissing() bool {
	missing := x.member.Database.State == datadir.Missing || x.member.Snap.State == datadir.Missing
	return missing && !x.member.Archived
}

// databaseName is the name of the database, in member/snap.
const databaseName = "db"

// checkStop reports what ends the release that the cluster runs. That others can't run on its files
// is what the outlooks are for. Where no release is known that the cluster runs, it may not be
// etcd's log, and what ends every release is a warning.
func (x *examination) checkStop() {
	own, sev := x.own, wal.SeverityError
	if own == nil {
		list := x.report.Outlooks
		if len(list) == 0 || slices.ContainsFunc(list, func(o Outlook) bool { return o.Stop == nil }) {
			return
		}
		own = &list[len(list)-1]
		if len(x.snaps) == 0 {
			sev = wal.SeverityWarning
		}
	}
	if s := own.Stop; s != nil {
		if s.Trigger == string(triggerRemoved) { // as it should be
			sev = wal.SeverityWarning
		}
		x.add(ClassEtcdStop, sev, s.Pos, fmt.Sprintf("%s; %s", own, s.Advice))
	}
}

// ownOutlook returns the outlook of the release that the cluster runs: the one of the version that
// the log, or the .snap file that it is read from, names last. It is nil if none is named.
func (x *examination) ownOutlook(judges []*judge) *Outlook {
	var applied uint64
	named := ""
	for _, j := range judges {
		v := j.members.Version()
		if f := x.snapOf(j.o.Read.Start); v == "" && f != nil {
			v = f.store.version
		}
		if v != "" && j.members.Index() >= applied {
			named, applied = v, j.members.Index()
		}
	}
	v, ok := parseVersion(named)
	if !ok {
		return nil
	}
	return x.report.Outlook(v.String())
}
