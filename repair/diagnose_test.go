package repair_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/repair"
)

// diagnose opens and diagnoses members.
func diagnose(t *testing.T, paths ...string) *repair.Diagnosis {
	t.Helper()
	var members []*repair.Member
	for _, p := range paths {
		m, err := repair.Open(t.Context(), p, repair.OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = m.Close() })
		members = append(members, m)
	}
	d, err := repair.Diagnose(t.Context(), repair.DiagnoseOptions{}, members...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// finding returns the first finding of a class, nil if there is none.
func finding(d *repair.Diagnosis, class string) *repair.Finding {
	i := slices.IndexFunc(d.Findings, func(f repair.Finding) bool { return f.Class == class })
	if i < 0 {
		return nil
	}
	return &d.Findings[i]
}

// Nothing is wrong with what real etcds left and boot from, and every check was made. Only m5 was removed
// from each cluster, and no etcd runs on its files.
func TestNothingIsWrongWithRealMembers(t *testing.T) {
	for _, log := range corpus.Logs(t) {
		d := diagnose(t, log.Dir)
		if strings.HasSuffix(log.Name, "-m5") {
			f := finding(d, "etcd_stop")
			if d.Verdict != verdict.Problem || f == nil || !strings.Contains(f.Evidence, "permanently removed") {
				t.Errorf("%s: %s, %+v", log.Name, d.Verdict, d.Findings)
			}
			continue
		}
		if d.Verdict != verdict.OK || len(d.Members[0].Checks) != 6 || d.Cluster != nil {
			t.Errorf("%s: %s, %+v", log.Name, d.Verdict, d.Members[0].Checks)
		}
		for i := range d.Findings {
			if f := &d.Findings[i]; f.Severity == verdict.Error {
				t.Errorf("%s: %v", log.Name, f)
			}
		}
	}
}

// Members of one cluster are compared, and agree.
func TestRealClusters(t *testing.T) {
	for _, name := range []string{"c35-3m-clean", "c36-3m-kill9", "c37-3m-clean"} {
		dir := corpus.Dir(t, name)
		d := diagnose(t, dir+"/m1", dir+"/m2", dir+"/m3")
		if d.Verdict != verdict.OK || d.Cluster == nil || d.Cluster.Furthest == nil {
			t.Fatalf("%s: %s, %+v", name, d.Verdict, d.Cluster)
		}
		for _, m := range d.Members {
			if m.Report.Last.Index > d.Cluster.Last.Index || m.Report.Commit() > d.Cluster.Commit.Index {
				t.Errorf("%s: furthest %+v, and %s has entries up to %d", name, d.Cluster, m.Name, m.Report.Last.Index)
			}
		}
	}
}

// Every class has a severity and a sentence, once.
func TestClasses(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range repair.Classes() {
		if seen[c.Class] || c.Severity == "" || c.Doc == "" {
			t.Errorf("%+v", c)
		}
		seen[c.Class] = true
	}
	for _, c := range repair.OwnClasses() {
		if !seen[c.Class] {
			t.Errorf("%s is missing", c.Class)
		}
	}
}
