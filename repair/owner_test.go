package repair_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/raftctl/raftctl/repair"
)

// A segment that has lost its metadata counts as one of the log whose segments it goes on from. So most segments are the
// member's own, and the one of another member is left out, or written over.
func TestOwnerByChecksums(t *testing.T) {
	p, other := newPatient(t, "c36-3m-clean", "m1"), newPatient(t, "c36-3m-clean", "m2")
	p.split()
	other.split()
	b, err := os.ReadFile(other.segment(-2))
	p.must(err)
	names := p.segments()
	const kept = 4
	for _, name := range names[:len(names)-kept] {
		p.must(os.Remove(name))
	}
	p.must(os.WriteFile(p.segment(-2), b, 0o600))
	p.edit(1, 16, zero, 1024)
	m, plan := p.plan(repair.PlanOptions{})
	if got := remedies(plan); plan.Status != repair.StatusRepair || len(got) == 0 || got[0] != "drop_segment" {
		t.Fatalf("%s by %q, want repair by drop_segment first: %v", plan.Status, got, plan.Refused)
	}
	out := filepath.Join(t.TempDir(), "new")
	if _, err := plan.Apply(t.Context(), m, repair.ApplyOptions{Output: out, Now: noon}); err != nil {
		t.Fatal(err)
	}
	if got, want := nodeID(t, out), nodeID(t, p.from); got != want {
		t.Errorf("the result is member %x's, want %x's", got, want)
	}
}
