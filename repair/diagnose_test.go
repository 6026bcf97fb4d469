package repair_test

import (
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

// Nothing is wrong with what real etcds left and boot from, and every check was made.
func TestNothingIsWrongWithRealMembers(t *testing.T) {
	for _, log := range corpus.Logs(t) {
		d := diagnose(t, log.Dir)
		if d.Verdict != verdict.OK || len(d.Members[0].Checks) != 6 {
			t.Errorf("%s: %s, %+v", log.Name, d.Verdict, d.Members[0].Checks)
		}
		for i := range d.Findings {
			if f := &d.Findings[i]; f.Severity == verdict.Error {
				t.Errorf("%s: %v", log.Name, f)
			}
		}
	}
}
