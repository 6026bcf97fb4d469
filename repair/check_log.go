package repair

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/repair/crosscheck"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/wal"
)

// checkLog takes over what reading the log found.
func (x *examination) checkLog(context.Context) {
	p := &x.Place.Log
	switch {
	case p.State == datadir.Missing:
		x.unchecked(CheckLog, path.Base(p.Path), p.Err.Error())
	case p.State == datadir.Unknown:
		x.unchecked(CheckLog, "wal", "nothing tells where the log lies; give the data directory as well")
	case x.LogErr != nil:
		x.unchecked(CheckLog, "wal", fmt.Sprintf("the log was not read: %v", x.LogErr))
	}
	x.checkBeside()
	if x.Report == nil {
		return
	}
	for i := range x.Report.Findings {
		if f := &x.Report.Findings[i]; !x.toldOfFiles(f) {
			x.add(x.ofLog(f))
		}
	}
	for c, n := range x.Report.Omitted {
		x.Omitted[string(c)] += n
	}
}

// checkBeside notes what an etcd that died while it began a log has left beside it.
func (x *examination) checkBeside() {
	left := func(p *datadir.Place, what string) {
		if p.State == datadir.Present {
			x.add(Finding{Class: string(crosscheck.ClassLeftover), Severity: verdict.Info, Check: CheckLog, File: path.Base(p.Path),
				Evidence: what})
		}
	}
	left(&x.Place.Unfinished, "a log in the making; etcd removes it")
	for i := range x.Place.Broken {
		left(&x.Place.Broken[i], "a log that could not be begun; etcd ignores it")
	}
}

// toldOfFiles reports whether a finding is about a .snap file that is checked by itself.
func (x *examination) toldOfFiles(f *wal.Finding) bool {
	about := f.Class == outlook.ClassSnapshotCorrupt || f.Class == wal.ClassUnchecked
	return about && (strings.HasSuffix(f.Pos.Segment, ".snap") || f.Pos.Segment == path.Base(x.Place.Snap.Path))
}

// ofLog returns a finding of the log's check as one of the diagnosis.
func (x *examination) ofLog(f *wal.Finding) Finding {
	g := Finding{Class: string(f.Class), Severity: f.Severity, Check: checkOf(f.Class), File: f.Pos.Segment,
		Off: f.Pos.Off, Len: f.Len, Evidence: f.Evidence, Log: f}
	if f.Before.Index > 0 && f.After.Index > 0 {
		g.Entries = x.missingIn(f.Before.Index+1, f.After.Index-1)
	}
	if o := x.Report.Own; f.Class == outlook.ClassEtcdStop && o != nil && o.Stop != nil {
		g.Severity = verdict.Error // also of a member that was removed: its etcd ends
	}
	if g.Check == CheckLog && f.Severity == verdict.Error {
		g.Next = []string{"wal", "repair", x.Name}
	}
	return g
}

// checkOf returns the check that tells of a class of the log's findings.
func checkOf(c wal.Class) Check {
	switch c {
	case wal.ClassEtcdStart, outlook.ClassEtcdStop:
		return CheckStart
	case outlook.ClassSnapshotForeign, wal.ClassSnapshotFile:
		return CheckSnapshots
	case outlook.ClassSnapshotNewer, outlook.ClassSecondLog:
		return CheckTogether
	}
	return CheckLog
}

// missingIn returns the first and the last of the entries from one index to another that the log should have
// and hasn't, zero if there are none. What lies around damage may be of another log, and so far away.
func (x *examination) missingIn(first, last uint64) (r wal.IndexRange) {
	first, last = max(first, x.Report.First.Index), min(last, x.Report.Last.Index)
	for _, have := range x.Report.Ranges {
		if first >= have.First {
			first = max(first, have.Last+1)
		}
		if last <= have.Last {
			last = min(last, have.First-1)
		}
	}
	if first > last {
		return r
	}
	return wal.IndexRange{First: first, Last: last}
}
