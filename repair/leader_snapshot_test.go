package repair_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/wal"
)

// receive puts a snapshot that the leader sent in the place of the entries from first to last.
func (p *patient) receive(first, last uint64) {
	p.t.Helper()
	vote := uint64(0)
	p.reframe(func(r *wal.Record) []wal.Record {
		var h raftpb.HardState
		var snap wal.Snapshot
		if r.Kind == wal.KindState && h.Unmarshal(r.Data) == nil {
			vote = h.Vote
		}
		switch {
		case r.Kind == wal.KindSnapshot && snap.Unmarshal(r.Data) == nil && snap.Index == last:
			return nil
		case r.Kind == wal.KindState && first <= h.Commit && h.Commit <= last:
			return nil
		case r.Kind != wal.KindEntry || r.ID.Index < first || r.ID.Index > last:
			return []wal.Record{*r}
		case r.ID.Index < last:
			return nil
		}
		snap = wal.Snapshot{Index: last, Term: r.ID.Term}
		return []wal.Record{
			{Kind: wal.KindSnapshot, Data: snap.AppendTo(nil, raftpb.FlavorGogo)},
			stateRecord(raftpb.HardState{Term: r.ID.Term, Vote: vote, Commit: last}),
		}
	})
	p.from = filepath.Join(p.t.TempDir(), "undamaged")
	copyDir(p.t, p.dir, p.from)
}

// A log goes on behind a snapshot that the leader sent, if nothing makes the record of that doubtful. It can't begin
// anywhere before that, though.
func TestSnapshotFromLeader(t *testing.T) {
	const snap = 1526 // there is a .snap file of it
	for name, tt := range map[string]struct {
		damage   func(p *patient)
		remedies []string
	}{
		"the log's beginning is gone": {func(p *patient) { p.edit(0, p.record(1).Pos.Off, zero, 512) }, []string{"begin_anew"}},
		"its record is doubtful": {func(p *patient) {
			from, behind := p.record(snap-12).Pos.Off, p.record(snap+1).Pos.Off
			const records = 24 + 40 // of the snapshot, and of the hard state behind it
			p.edit(0, from, zero, int(behind-from)-records)
		}, []string{"begin_anew"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPatient(t, "c36-3m-clean", "m1")
			p.receive(snap-9, snap)
			if _, plan := p.plan(repair.PlanOptions{}); plan.Status != repair.StatusHealthy && plan.Status != repair.StatusBeside {
				t.Fatalf("%s before it is damaged: %v", plan.Status, plan.Steps)
			}
			tt.damage(p)
			m, plan := p.plan(repair.PlanOptions{})
			if plan.Status != repair.StatusRepair || !cmp.Equal(remedies(plan), tt.remedies) {
				t.Fatalf("%s by %q, want repair by %q: %v, left %q", plan.Status, remedies(plan), tt.remedies, plan.Refused, plan.Left)
			}
			p.apply(m, plan)
		})
	}
}
