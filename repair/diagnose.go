package repair

import (
	"context"
	"slices"

	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/change"
	"github.com/raftctl/raftctl/snapshot/database"
)

// DiagnoseOptions adjust Diagnose. The zero value checks everything.
type DiagnoseOptions struct {
	// Progress is told now and then how many bytes of a member's database were checked, and of how many. The
	// log was read when the member was opened.
	Progress func(m *Member, done, total int64)
}

// Diagnosis is what is wrong with one or more members.
type Diagnosis struct {
	Verdict  verdict.Verdict // on all of them together
	Members  []*Examined     // in the order in which they were given
	Cluster  *Cluster        // nil if there are not several members with a log
	Findings []Finding       // of each member in the order of its checks, and then what is about several
}

// Cluster is what several members say of each other.
type Cluster struct {
	Verdict verdict.Verdict

	// Furthest is the member whose log counts, which is the one that ends with the highest term, and of those
	// the longest, and Commit the last entry that is known to be committed by any of them. They are nil and
	// zero where the logs are not of one history.
	Furthest *Examined
	Last     raftpb.EntryID // that it ends with
	Commit   raftpb.EntryID
}

// Examined is one member that was diagnosed.
type Examined struct {
	*Member
	Verdict verdict.Verdict
	Checks  []CheckResult
	Omitted map[string]int // how many findings of a class are left out, by class

	Running bool // a process holds the files: what is safe was checked
	PID     int  // of that process, where the system tells

	Plan *Plan // to mend its log; nil where there is nothing to mend, or a process holds it

	DatabaseReport *database.Report // nil if there is none, or it can't be read
	Origin         database.Origin  // of the database

	Changes []change.Change // what raftctl has changed here, oldest first

	findings []Finding
}

// CheckResult is what one check came to.
type CheckResult struct {
	Check   Check
	Verdict verdict.Verdict
}

// Result returns the verdict of a check; ok is false if what was given has nothing that it is about, as
// where a single file was.
func (e *Examined) Result(c Check) (v verdict.Verdict, ok bool) {
	i := slices.IndexFunc(e.Checks, func(r CheckResult) bool { return r.Check == c })
	if i < 0 {
		return "", false
	}
	return e.Checks[i].Verdict, true
}

// Diagnose says what is wrong with members: with each by itself, and, of several, with what they say of
// each other. The error is that of the context.
func Diagnose(ctx context.Context, o DiagnoseOptions, members ...*Member) (*Diagnosis, error) {
	d := &Diagnosis{Verdict: verdict.OK}
	for _, m := range members {
		x := &examination{Examined: &Examined{Member: m, Verdict: verdict.OK, Omitted: map[string]int{}}, o: &o}
		if err := x.examine(ctx); err != nil {
			return nil, err
		}
		d.Members = append(d.Members, x.Examined)
		d.Findings = append(d.Findings, x.findings...)
	}
	if err := d.checkCluster(ctx); err != nil {
		return nil, err
	}
	for i := range d.Findings {
		d.Verdict = worse(d.Verdict, d.Findings[i].verdict())
	}
	return d, nil
}

// examination is the diagnosis of one member.
type examination struct {
	*Examined
	o *DiagnoseOptions
}

// examine makes all checks that what was given allows.
func (x *examination) examine(ctx context.Context) error {
	x.lookForProcess()
	x.checkChanges()
	checks := []struct {
		check   Check
		applies bool
		run     func(context.Context)
	}{
		{CheckLog, !x.isFile(), x.checkLog},
		{CheckSnapshots, !x.isFile() || x.db == nil && len(x.Files) > 0, x.checkSnapshots},
		{CheckDatabase, !x.isFile() || len(x.Files) == 0, x.checkDatabase},
		{CheckTogether, !x.isFile(), x.checkTogether},
		{CheckMembers, !x.isFile(), nil}, // its findings come with those of the others
		{CheckStart, !x.isFile(), x.checkStart},
	}
	for _, c := range checks {
		if !c.applies {
			continue
		}
		x.Checks = append(x.Checks, CheckResult{c.check, verdict.OK})
		if c.run == nil {
			continue
		}
		if c.run(ctx); ctx.Err() != nil {
			return ctx.Err()
		}
	}
	x.conclude()
	x.tellReleases()
	x.tellLost()
	return x.tellRemedies(ctx)
}

// add adds a finding of this package's own.
func (x *examination) add(f Finding) {
	f.Member = x.Member
	x.findings = append(x.findings, f)
}

// unchecked adds that something of a check could not be done.
func (x *examination) unchecked(c Check, file, evidence string) {
	x.add(Finding{Class: ClassUnchecked, Severity: verdict.Warning, Check: c, File: file, Evidence: evidence})
}

// conclude sorts the findings by check, and takes the verdicts.
func (x *examination) conclude() {
	rank := func(c Check) int { return slices.IndexFunc(x.Checks, func(r CheckResult) bool { return r.Check == c }) }
	slices.SortStableFunc(x.findings, func(a, b Finding) int { return rank(a.Check) - rank(b.Check) })
	for i := range x.findings {
		f := &x.findings[i]
		v := f.verdict()
		x.Verdict = worse(x.Verdict, v)
		if k := rank(f.Check); k >= 0 {
			x.Checks[k].Verdict = worse(x.Checks[k].Verdict, v)
		}
	}
}

// verdict returns what a finding makes of a verdict that was ok.
func (f *Finding) verdict() verdict.Verdict {
	switch {
	case f.Severity == verdict.Error:
		return verdict.Problem
	case f.Class == ClassUnchecked:
		return verdict.Unchecked
	}
	return verdict.OK
}

// worse returns the worse of two verdicts.
func worse(a, b verdict.Verdict) verdict.Verdict {
	for _, v := range []verdict.Verdict{verdict.Problem, verdict.Unchecked} {
		if a == v || b == v {
			return v
		}
	}
	return verdict.OK
}
