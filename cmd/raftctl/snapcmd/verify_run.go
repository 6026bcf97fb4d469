package snapcmd

import (
	"context"
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/cmd/raftctl/paths"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/repair/crosscheck"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/snapshot/database"
)

// verified is the outcome for one path.
type verified struct {
	a      *ui.App
	source *paths.Options
	path   string
	member *datadir.Member
	err    error // why nothing could be checked

	verdict  verdict.Verdict
	findings []found
	omitted  map[string]int

	database *database.Report // nil if there is none, or it can't be opened
	origin   database.Origin
	files    []snapshot.File // .snap files, and what lies beside them
	log      *outlook.Report // nil if there is no log
}

// found is one finding, of whatever kind.
type found struct {
	Class    string           `json:"class"`
	Severity verdict.Severity `json:"severity"`
	File     string           `json:"file"`
	Offset   int64            `json:"offset"`
	Page     uint64           `json:"page,omitempty"`
	Bucket   string           `json:"bucket,omitempty"`
	Key      string           `json:"key,omitempty"`
	Revision string           `json:"revision,omitempty"`
	Evidence string           `json:"evidence"`
	Advice   string           `json:"advice,omitempty"`
}

func newVerified(a *ui.App, source *paths.Options, name string) *verified {
	return &verified{a: a, source: source, path: name, omitted: map[string]int{}}
}

// verify checks what is at the path. The error is one of the path, not of what lies there.
func (v *verified) verify(ctx context.Context) error {
	m, err := v.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = m.Close() }() // opened for reading
	v.member = m.Place
	if err := v.unread(m); err != nil {
		return err
	}
	p := &lateBar{a: v.a, name: "verify " + v.path}
	d, err := repair.Diagnose(ctx, repair.DiagnoseOptions{Progress: func(_ *repair.Member, done, total int64) {
		p.Set(done, total)
	}}, m)
	p.Done()
	if err != nil {
		return err
	}
	v.take(d)
	return nil
}

// open opens what is at the path.
func (v *verified) open(ctx context.Context) (*repair.Member, error) {
	read, unpack := &lateBar{a: v.a, name: "read the log of " + v.path}, &lateBar{a: v.a, name: "unpack " + v.path}
	m, err := repair.Open(ctx, v.path, repair.OpenOptions{WalDir: v.source.WalDir, Dir: v.a.Dir, State: true,
		Progress: read.Set, Unpacked: unpack.Set})
	read.Done()
	unpack.Done()
	return m, pathErr.Error(v.path, err)
}

// unread returns why a single file can't be read, unless that is damage, of which the diagnosis tells.
func (v *verified) unread(m *repair.Member) error {
	p := &m.Place.File
	switch err := m.DatabaseErr; {
	case p.State == datadir.Unknown:
		return nil
	case m.FilesErr != nil:
		return pathErr.Error(v.path, m.FilesErr)
	case err != nil && !database.IsDamage(err):
		return openError(v.path, p, err)
	}
	return nil
}

// take takes over what the diagnosis found. Of the log it tells only what it has to do with the state: the log
// has a check of its own.
func (v *verified) take(d *repair.Diagnosis) {
	m := d.Members[0]
	v.database, v.origin, v.files, v.log = m.DatabaseReport, m.Origin, m.Files, m.Report
	v.takeLog(m)
	var of []repair.Finding
	for _, f := range d.Findings {
		aside := f.Check == repair.CheckLog || f.Check == repair.CheckStart || f.File == "" && f.Class == repair.ClassUnchecked
		if f.Log == nil && !aside {
			of = append(of, f)
		}
	}
	slices.SortStableFunc(of, func(a, b repair.Finding) int { return rankOf(&a) - rankOf(&b) })
	for i := range of {
		v.findings = append(v.findings, newFound(&of[i]))
	}
	if v.database != nil {
		for c, n := range v.database.Omitted {
			v.omitted[string(c)] = n
		}
	}
	v.verdict = verdict.OK
	for _, f := range v.findings {
		switch {
		case f.Severity == verdict.Error:
			v.verdict = verdict.Problem
		case f.Class == repair.ClassUnchecked && v.verdict == verdict.OK:
			v.verdict = verdict.Unchecked
		}
	}
}

// takeLog says why the log was not read, or that what it says may not be all.
func (v *verified) takeLog(m *repair.Examined) {
	unchecked := func(format string, args ...any) {
		v.findings = append(v.findings, found{Class: repair.ClassUnchecked, Severity: verdict.Warning, File: "wal",
			Evidence: fmt.Sprintf(format, args...)})
	}
	switch {
	case m.Place.Log.State == datadir.Missing:
	case m.LogErr != nil:
		unchecked("the log was not read: %v", m.LogErr)
	case m.Report != nil && m.Report.Verdict != verdict.OK:
		unchecked("the verdict on the log is %q, and what it says may not be all; see: %s", m.Report.Verdict,
			v.source.Command("wal verify", v.path))
	}
}

// rankOf is where a finding stands in the report: .snap files, the database, what could not be set side by
// side, and what doesn't fit.
func rankOf(f *repair.Finding) int {
	const database, aside, together = 1000, 2000, 3000
	switch cross := crossRank(f.Class); {
	case f.Check == repair.CheckSnapshots:
		return 0
	case f.Database != nil:
		return database + databaseRank(f.Database.Class)
	case f.Check == repair.CheckDatabase:
		return database
	case cross < 0:
		return aside
	default:
		return together + cross
	}
}

func crossRank(class string) int {
	return slices.IndexFunc(crosscheck.Classes(), func(c crosscheck.ClassInfo) bool { return string(c.Class) == class })
}

func databaseRank(class database.Class) int {
	return slices.IndexFunc(database.Classes(), func(c database.ClassInfo) bool { return c.Class == class })
}

func newFound(f *repair.Finding) found {
	x := found{Class: f.Class, Severity: f.Severity, File: f.File, Offset: f.Off, Evidence: f.Evidence, Advice: f.Advice}
	d := f.Database
	if d == nil {
		return x
	}
	x.Page, x.Bucket = d.Page, d.Bucket
	if d.Key != nil {
		x.Key = string(d.Key)
	}
	if d.Revision != (database.Revision{}) {
		x.Revision = d.Revision.String()
	}
	return x
}
