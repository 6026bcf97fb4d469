package repair_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/repair/edit"
)

// stored makes a plan, and returns it as it is once it was stored and read again.
func (p *patient) stored(o repair.PlanOptions) *repair.Plan {
	p.t.Helper()
	o.Store = true
	_, plan := p.plan(o)
	text, err := json.Marshal(plan)
	if err != nil {
		p.t.Fatal(err)
	}
	stored := new(repair.Plan)
	if err := json.Unmarshal(text, stored); err != nil {
		p.t.Fatal(err)
	}
	return stored
}

// A stored plan is refused once anything that it was made of has changed.
func TestStoredPlanChanged(t *testing.T) {
	const newest = "0000000000000003-000000000000078a.snap"
	for name, change := range map[string]func(p *patient){
		"a segment":           func(p *patient) { p.edit(0, 100, func(b []byte) { b[0] ^= 1 }, 1) },
		"a .snap file":        func(p *patient) { _ = os.WriteFile(p.snap(newest), []byte("x"), 0o600) },
		"a .snap file less":   func(p *patient) { os.Remove(p.snap(newest)) },
		"the database gone":   func(p *patient) { os.Remove(p.snap("db")) },
		"the database behind": func(p *patient) { p.oldDatabase() },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPatient(t, "c36-3m-clean", "m1")
			p.wreck(700, 705)
			plan := p.stored(repair.PlanOptions{})
			change(p)
			out := filepath.Join(t.TempDir(), "new")
			_, err := plan.Apply(t.Context(), p.open(), repair.ApplyOptions{Output: out, Now: noon})
			if changed, ok := errors.AsType[*repair.ChangedError](err); !ok || !changed.Refused() || changed.Path != p.dir {
				t.Errorf("%v, want a ChangedError about %s", err, p.dir)
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("there is a result")
			}
		})
	}
}

func (p *patient) snap(name string) string { return filepath.Join(p.dir, "member", "snap", name) }

// oldDatabase puts another member's database in the place of the member's: it has applied less.
func (p *patient) oldDatabase() {
	p.t.Helper()
	b, err := os.ReadFile(filepath.Join(filepath.Dir(p.from), "m5", "member", "snap", "db"))
	if err == nil {
		err = os.WriteFile(p.snap("db"), b, 0o600)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// Paths that start from another directory than the process's are found: by a plan that is applied at once from there, and
// by one that was stored from anywhere.
func TestPlanRelativePaths(t *testing.T) {
	p := newPatient(t, "c36-3m-clean", "m1")
	dir := filepath.Dir(p.dir)
	copyDir(t, filepath.Join(filepath.Dir(p.from), "m2"), filepath.Join(dir, "m2"))
	p.wreck(700, 700)
	p.edit(0, p.record(800).Pos.Off, zero, 1024) // what needs records written anew, from the donor
	open := func(name, from string) *repair.Member {
		m, err := repair.Open(t.Context(), name, repair.OpenOptions{Dir: from})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = m.Close() })
		return m
	}
	m := open("m", dir)
	plan, err := repair.NewPlan(t.Context(), m, repair.PlanOptions{Donors: []string{"m2"}, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Apply(t.Context(), m, repair.ApplyOptions{Output: filepath.Join(dir, "a"), Dir: dir, Now: noon}); err != nil {
		t.Error(err)
	}
	plan, err = repair.NewPlan(t.Context(), m, repair.PlanOptions{Donors: []string{"m2"}, Dir: dir, Store: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := plan.Source.Path; got != p.dir {
		t.Errorf("the stored path is %s, want %s", got, p.dir)
	}
	if _, err := plan.Apply(t.Context(), open(plan.Source.Path, ""), repair.ApplyOptions{Output: filepath.Join(dir, "b"), Now: noon}); err != nil {
		t.Error(err)
	}
}

// A plan that names files elsewhere, or what there isn't, does nothing.
func TestStoredPlanForged(t *testing.T) {
	for name, forge := range map[string]func(c *edit.Changes){
		"a .snap file elsewhere":   func(c *edit.Changes) { c.Snapshots = []edit.SnapFile{{Name: "../../evil.snap"}} },
		"a segment elsewhere":      func(c *edit.Changes) { c.Rename = []edit.Rename{{From: "a", To: "../a"}} },
		"no name":                  func(c *edit.Changes) { c.Drop = []string{""} },
		"the folder above":         func(c *edit.Changes) { c.Quarantine = []string{".."} },
		"before a file's begin":    func(c *edit.Changes) { c.Patches = []edit.Patch{{Segment: "a", Off: -1}} },
		"another number of bytes":  func(c *edit.Changes) { c.Patches = []edit.Patch{{Segment: "a", New: []byte{1}}} },
		"a donor that there isn't": func(c *edit.Changes) { c.Rewrite.Insert = []edit.Insert{{Donor: 2, First: 1, Last: 2}} },
		"no entries":               func(c *edit.Changes) { c.Rewrite.Insert = []edit.Insert{{Donor: 1, First: 2, Last: 1}} },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPatient(t, "c36-3m-clean", "m1")
			p.wreck(700, 705)
			plan := p.stored(repair.PlanOptions{Donors: []string{filepath.Join(filepath.Dir(p.from), "m2")}})
			if plan.Changes.Rewrite == nil {
				plan.Changes.Rewrite = &edit.Rewrite{}
			}
			forge(&plan.Changes)
			dir := t.TempDir()
			if _, err := plan.Apply(t.Context(), p.open(), repair.ApplyOptions{Output: filepath.Join(dir, "new"), Now: noon}); err == nil {
				t.Error("it was applied")
			}
			if list, err := os.ReadDir(dir); err != nil || len(list) > 0 {
				t.Errorf("%v: left %v", err, list)
			}
		})
	}
}
