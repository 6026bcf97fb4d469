package repair_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/wal"
)

// elect lets the entries from an index on be of a later leader. An entry ahead of them is destroyed then: it overwrites the
// one before, if that isn't committed, and is overwritten else. What hard states before that commit is commit at most.
func (p *patient) elect(index, commit uint64) {
	p.t.Helper()
	elected := false
	hidden := raftpb.Entry{Index: max(index-1, commit+1), Data: make([]byte, 100)}
	p.reframe(func(r *wal.Record) []wal.Record {
		var h raftpb.HardState
		var e raftpb.Entry
		var snap wal.Snapshot
		switch {
		case r.Kind == wal.KindSnapshot && snap.Unmarshal(r.Data) == nil && snap.Index > 0:
			return nil // it may be of another term then
		case r.Kind == wal.KindState:
			p.must(h.Unmarshal(r.Data))
			if h.Vote = 0; elected {
				h.Term, h.Commit = h.Term+1, max(h.Commit, commit)
			} else {
				h.Commit = min(h.Commit, commit)
			}
			return []wal.Record{stateRecord(h)}
		case r.Kind == wal.KindEntry:
			p.must(e.Unmarshal(r.Data))
			if e.Index < index {
				return []wal.Record{*r}
			}
			if e.Term++; elected {
				return []wal.Record{entryRecord(e)}
			}
			if elected, hidden.Term = true, e.Term; hidden.Index == index {
				hidden.Term--
			}
			return []wal.Record{stateRecord(raftpb.HardState{Term: e.Term - 1, Commit: commit}), entryRecord(hidden), entryRecord(e)}
		}
		return []wal.Record{*r}
	})
	remove(p.t, below(p.dir, "snap/*.snap"))
	setMeta(p.t, p.dir, "consistent_index", commit-10)
	p.from = filepath.Join(p.t.TempDir(), "undamaged")
	copyDir(p.t, p.dir, p.from)
	frame := entryRecord(hidden)
	size := len(frame.AppendFrame(nil))
	p.edit(0, p.record(index).Pos.Off-int64(size)+20, func(b []byte) { copy(b, strings.Repeat("rubbish ", len(b))) }, size-28)
}

// Where damage hides that another leader came, entries ahead of it that weren't committed may have been overwritten: they
// count as lost with what is hidden. Those that were committed are what they are.
func TestOverwrittenByWhatIsHidden(t *testing.T) {
	const first = 1500 // of the later leader's entries
	for name, tt := range map[string]struct {
		commit   uint64
		status   repair.Status
		remedies []string
		lost     []repair.Range
	}{
		"all ahead is committed": {first - 1, repair.StatusRepair, []string{"rechain"}, nil},
		"some isn't":             {first - 4, repair.StatusLoss, []string{"neutralise"}, []repair.Range{{First: first - 3, Last: first - 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPatient(t, "c36-3m-clean", "m1")
			p.elect(first, tt.commit)
			m, plan := p.plan(repair.PlanOptions{})
			if plan.Status != tt.status || !cmp.Equal(remedies(plan), tt.remedies) || !cmp.Equal(plan.Cost.Lost, tt.lost) {
				t.Fatalf("%s by %q, loses %v; want %s by %q, %v: %v", plan.Status, remedies(plan), plan.Cost.Lost, tt.status,
					tt.remedies, tt.lost, plan.Refused)
			}
			if tt.status == repair.StatusRepair {
				p.apply(m, plan)
			}
			for _, c := range plan.Others {
				if c.Steps[0].Remedy == "cut" && c.Cost.Lost[0].First != tt.commit+1 {
					t.Errorf("cut: loses %v, want all from entry %d on", c.Cost.Lost, tt.commit+1)
				}
			}
		})
	}
}
