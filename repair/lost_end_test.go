package repair_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/wal"
)

// lastCommit returns the last hard state that commits more than those before it, and the record of the first entry
// that only it commits.
func (p *patient) lastCommit() (state, entry wal.Record) {
	p.t.Helper()
	log, err := wal.Open(os.DirFS(p.dir), ".")
	p.must(err)
	defer func() { _ = log.Close() }() // opened for reading
	commit := uint64(0)
	entries := map[uint64]wal.Record{}
	for rec, err := range log.Records(wal.Recover) {
		p.must(err)
		var h raftpb.HardState
		switch {
		case rec.Kind == wal.KindEntry:
			entries[rec.ID.Index] = wal.Record{Pos: rec.Pos, Len: rec.Len, ID: rec.ID}
		case rec.Kind == wal.KindState && h.Unmarshal(rec.Data) == nil && h.Commit > commit:
			state, entry = wal.Record{Pos: rec.Pos, Len: rec.Len}, entries[commit+1]
			commit = h.Commit
		}
	}
	return state, entry
}

// A hard state that is left of a damaged end is proven by nothing, but what it says to be committed is not given up
// without a word.
func TestDamagedEndClaimsCommit(t *testing.T) {
	for name, tt := range map[string]struct {
		donors   []string
		status   repair.Status
		remedies []string
	}{
		"alone":       {nil, repair.StatusLoss, []string{"cut"}},
		"with donors": {[]string{"m2", "m3"}, repair.StatusRepair, []string{"splice"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPatient(t, "c36-3m-clean", "m1")
			state, entry := p.lastCommit()
			p.edit(0, entry.Pos.Off, func(b []byte) { copy(b, strings.Repeat("rubbish ", len(b))) }, int(state.Pos.Off-entry.Pos.Off))
			p.edit(0, state.Pos.Off+state.Len, zero, 1<<10)
			setMeta(t, p.dir, "consistent_index", entry.ID.Index-1)
			_, plan := p.plan(repair.PlanOptions{Donors: donorsOf(t, "c36-3m-clean", tt.donors...)})
			if plan.Status != tt.status || !cmp.Equal(remedies(plan), tt.remedies) {
				t.Errorf("%s by %q, want %s by %q: %v", plan.Status, remedies(plan), tt.status, tt.remedies, plan.Refused)
			}
			const says = "damaged bytes seem to say"
			if got := strings.Contains(plan.Cost.Beside, says); got != (tt.status == repair.StatusLoss) {
				t.Errorf("the cost says %q", plan.Cost.Beside)
			}
		})
	}
}
