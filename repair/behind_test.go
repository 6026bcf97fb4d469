package repair_test

import (
	"strings"
	"testing"

	"github.com/raftctl/raftctl/repair"
)

// A database that is older than the newest .snap file is nothing that a change of the log mends. It is said, be the log
// whole or not.
func TestDatabaseBehind(t *testing.T) {
	p := newPatient(t, "c36-3m-clean", "m1")
	p.oldDatabase()
	_, plan := p.plan(repair.PlanOptions{})
	if plan.Status != repair.StatusBeside || len(plan.Left) != 1 || !strings.Contains(plan.Left[0], "database_behind") {
		t.Errorf("%s, left %q; want %s", plan.Status, plan.Left, repair.StatusBeside)
	}
	p.edit(0, p.record(1200).Pos.Off+30, func(b []byte) { b[0] ^= 1 }, 1)
	_, plan = p.plan(repair.PlanOptions{})
	if got := remedies(plan); plan.Status != repair.StatusRepair || len(got) != 1 || got[0] != "correct" || len(plan.Left) != 1 {
		t.Errorf("%s by %q, left %q; want the bit corrected, and what is left said", plan.Status, got, plan.Left)
	}
}
