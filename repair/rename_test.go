package repair_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/repair"
)

// A segment comes to its place by the checksums of its neighbours, though others are damaged.
func TestRenameBesideDamage(t *testing.T) {
	for name, rename := range map[string]func(p *patient, dir string){
		"a later number": func(p *patient, dir string) {
			p.must(os.Rename(p.segment(1), filepath.Join(dir, "0000000000000009-"+filepath.Base(p.segment(1))[17:])))
		},
		"two with each other's names": func(p *patient, _ string) {
			a, b := p.segment(1), p.segment(2)
			p.must(os.Rename(a, a+".x"))
			p.must(os.Rename(b, a))
			p.must(os.Rename(a+".x", b))
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPatient(t, "c36-3m-clean", "m1")
			p.split()
			p.edit(-1, p.record(1800).Pos.Off, zero, 1024)
			rename(p, filepath.Dir(p.segment(0)))
			m, plan := p.plan(repair.PlanOptions{Donors: donorsOf(t, "c36-3m-clean", "m2", "m3")})
			if got := remedies(plan); plan.Status != repair.StatusRepair || !cmp.Equal(got, []string{"rename_segment", "splice"}) {
				t.Fatalf("%s by %q, want repair by rename_segment and splice: %v", plan.Status, got, plan.Refused)
			}
			p.apply(m, plan)
		})
	}
}
