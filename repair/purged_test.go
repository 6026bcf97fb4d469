package repair_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/wal"
)

// purge leaves the last segment of the log only, without records of snapshots, and no .snap file: nothing is left that
// etcd could start from. It returns the index of the first entry that is left.
func (p *patient) purge() (first uint64) {
	p.t.Helper()
	names := p.segments()
	last := len(names) - 1
	for _, name := range names[:last] {
		p.must(os.Remove(name))
	}
	remove(p.t, below(p.dir, "snap/*.snap"))
	p.reframe(func(r *wal.Record) []wal.Record {
		if r.Kind == wal.KindSnapshot {
			return nil
		}
		return []wal.Record{*r}
	})
	name, ok := wal.ParseSegmentName(filepath.Base(names[last]))
	if !ok || name.Index < 2 {
		p.t.Fatalf("%s: %v", names, name)
	}
	return name.Index
}

// A log without a snapshot to start from may begin anew right where it begins, if the database has applied all before.
func TestBeginsWhereTheDatabaseEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		less     uint64 // than all that comes before the log's first entry
		status   repair.Status
		remedies []string
	}{
		"all before is applied": {0, repair.StatusRepair, []string{"begin_anew"}},
		"an entry is missing":   {1, repair.StatusNone, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPatient(t, "c36-3m-clean", "m1")
			p.split()
			setMeta(t, p.dir, "consistent_index", p.purge()-1-tt.less)
			m, plan := p.plan(repair.PlanOptions{})
			if plan.Status != tt.status || !cmp.Equal(remedies(plan), tt.remedies) {
				t.Fatalf("%s by %q, want %s by %q: %v", plan.Status, remedies(plan), tt.status, tt.remedies, plan.Refused)
			}
			if plan.Status == repair.StatusRepair {
				p.apply(m, plan)
			}
		})
	}
}

// A purged log that is spliced, and has no snapshot to start from any more, gets one that is made of the database. etcd
// counts it, though the log commits less than the database has applied.
func TestSpliceMakesSnapshot(t *testing.T) {
	p := newPatient(t, "c36-3m-clean", "m1")
	p.split()
	first := p.purge()
	p.edit(0, p.record(first+20).Pos.Off, zero, 1024)
	for _, applied := range []uint64{first + 10, 1946} {
		setMeta(t, p.dir, "consistent_index", applied)
		m, plan := p.plan(repair.PlanOptions{Donors: donorsOf(t, "c36-3m-clean", "m2", "m3")})
		if got := remedies(plan); plan.Status != repair.StatusRepair || !cmp.Equal(got, []string{"splice", "begin_anew"}) {
			t.Fatalf("%s by %q, want repair by splice with a snapshot: %v", plan.Status, got, plan.Refused)
		}
		if got := plan.Changes.Snapshots; len(got) != 1 {
			t.Errorf("%d snapshots are made, want 1", len(got))
		}
		p.apply(m, plan)
	}
}
