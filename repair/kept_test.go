package repair_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/repair/crosscheck"
)

// What was kept of a damaged log tells the membership up to the damage as reading it again does, and nothing about what
// comes behind.
func TestMembershipBeforeDamage(t *testing.T) {
	p := newPatient(t, "c36-3m-clean", "m1")
	p.wreck(1935, 1936)
	m := p.open()
	view := m.Report.View
	if len(view.Ranges) < 2 {
		t.Fatalf("entries %v, want some before the damage and some behind", view.Ranges)
	}
	for i, r := range view.Ranges[:2] {
		want, err := crosscheck.Replay(t.Context(), m.Log, view, r.Last)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := crosscheck.ReplayKept(m.Report, r.Last)
		if ok != (i == 0) || ok && !cmp.Equal(got, want) {
			t.Errorf("up to entry %d: %v (%v), want %v", r.Last, got, ok, want)
		}
	}
}
