package repair_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/wal"
)

// donorsOf returns the paths of members of a corpus.
func donorsOf(t *testing.T, name string, members ...string) (list []string) {
	t.Helper()
	for _, m := range members {
		list = append(list, filepath.Join(corpus.Dir(t, name), m))
	}
	return list
}

// An entry that those overwrote which are missing is no entry of the log, intact as it is.
func TestSpliceOverStaleEntries(t *testing.T) {
	const first = 1027 // of its term
	p := newPatient(t, "c36-3m-clean", "m1")
	p.insert(first, entryRecord(raftpb.Entry{Term: 2, Index: first, Data: []byte("stale")}))
	p.edit(0, p.record(first).Pos.Off, zero, 1024)
	m, plan := p.plan(repair.PlanOptions{Donors: donorsOf(t, "c36-3m-clean", "m2", "m3")})
	if got := remedies(plan); plan.Status != repair.StatusRepair || !cmp.Equal(got, []string{"splice"}) {
		t.Fatalf("%s by %q, want repair by splice: %v", plan.Status, got, plan.Refused)
	}
	if why := plan.Steps[0].Why; !strings.Contains(why, "of entry 1027 the log has only what the cluster has overwritten") {
		t.Errorf("why: %s", why)
	}
	out := filepath.Join(t.TempDir(), "new")
	if _, err := plan.Apply(t.Context(), m, repair.ApplyOptions{Output: out, Now: noon}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(entriesOf(t, p.from), entriesOf(t, out)); diff != "" {
		t.Errorf("entries (-undamaged +result):\n%.1000s", diff)
	}
}

// What is wrong ahead of the place where a log would be written anew is not copied as it is.
func TestSpliceBehindLostHead(t *testing.T) {
	p := newPatient(t, "c36-3m-clean", "m1")
	p.split()
	p.edit(3, p.record(1500).Pos.Off, zero, 1024)
	b, err := os.ReadFile(p.segment(1))
	p.must(err)
	p.must(os.WriteFile(p.segment(1), b[16:], 0o600)) // its first frame
	m, plan := p.plan(repair.PlanOptions{Donors: donorsOf(t, "c36-3m-clean", "m2", "m3")})
	if got := remedies(plan); plan.Status != repair.StatusRepair || !cmp.Equal(got, []string{"splice"}) {
		t.Fatalf("%s by %q, want repair by splice: %v", plan.Status, got, plan.Refused)
	}
	p.apply(m, plan)
}

// A log that is written anew takes over no name that is wrong, or that no etcd writes.
func TestSpliceNames(t *testing.T) {
	for name, tt := range map[string]struct {
		damage uint64 // the entry from which on the log is damaged
		name   string // of the second segment
	}{
		"of another index, behind the damage": {200, "0000000000000001-00000000000003e7.wal"},
		"in capitals, ahead of it":            {300, "0000000000000001-00000000000000EB.wal"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPatient(t, "c36-3m-clean", "m1")
			p.split()
			from := p.segments()
			p.edit(int(tt.damage/250), p.record(tt.damage).Pos.Off, zero, 1024)
			p.must(os.Rename(p.segment(1), filepath.Join(filepath.Dir(p.segment(1)), tt.name)))
			m, plan := p.plan(repair.PlanOptions{Donors: donorsOf(t, "c36-3m-clean", "m2", "m3")})
			if got := remedies(plan); plan.Status != repair.StatusRepair || !cmp.Equal(got, []string{"splice"}) {
				t.Fatalf("%s by %q, want repair by splice: %v", plan.Status, got, plan.Refused)
			}
			made := (&patient{t: t, dir: p.apply(m, plan)}).segments()
			for i := range made {
				if got, want := filepath.Base(made[i]), filepath.Base(from[i]); got != want {
					t.Errorf("a segment is named %s, want %s", got, want)
				}
			}
		})
	}
}

// Entries below a snapshot that the leader sent come to their places, too.
func TestSpliceBelowSnapshot(t *testing.T) {
	p := newPatient(t, "c36-3m-clean", "m3")
	for _, index := range []uint64{300, 700} {
		p.edit(0, p.record(index).Pos.Off, zero, 1024)
	}
	m, plan := p.plan(repair.PlanOptions{Donors: donorsOf(t, "c36-3m-clean", "m1", "m2")})
	if got := remedies(plan); plan.Status != repair.StatusRepair || !cmp.Equal(got, []string{"splice", "splice"}) {
		t.Fatalf("%s by %q, want repair by two splices: %v", plan.Status, got, plan.Refused)
	}
	p.apply(m, plan)
}

// What a snapshot stands for that the leader sent is not missing, though entries behind it are.
func TestSpliceBehindSnapshot(t *testing.T) {
	p := newPatient(t, "c36-3m-clean", "m3")
	var first uint64 // behind the snapshot
	p.reframe(func(r *wal.Record) []wal.Record {
		if first == 0 && r.Kind == wal.KindEntry && r.ID.Index > 1500 {
			first = r.ID.Index
		}
		return []wal.Record{*r}
	})
	p.edit(0, p.record(first).Pos.Off, zero, 1024)
	m, plan := p.plan(repair.PlanOptions{Donors: donorsOf(t, "c36-3m-clean", "m1", "m2")})
	if got := remedies(plan); plan.Status != repair.StatusRepair || !cmp.Equal(got, []string{"splice"}) {
		t.Fatalf("%s by %q, want repair by splice: %v", plan.Status, got, plan.Refused)
	}
	if got := plan.Changes.Rewrite.Insert[0].First; got != first {
		t.Errorf("entries from %d on are taken, want %d", got, first)
	}
	p.apply(m, plan)
}
