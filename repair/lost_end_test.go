package repair_test

import (
	"os"
	"path/filepath"
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

// named returns the index in the name of the k-th segment.
func (p *patient) named(k int) uint64 {
	p.t.Helper()
	name, ok := wal.ParseSegmentName(filepath.Base(p.segment(k)))
	if !ok {
		p.t.Fatal(p.segment(k))
	}
	return name.Index
}

// A segment gets its name when all before it is written, and its head is durable. What its name says, and what was in it,
// isn't given up without a word, whatever is left of its bytes.
func TestNameTellsHowFarTheLogWent(t *testing.T) {
	zeros := func(b []byte) []byte { return make([]byte, len(b)) }
	rubbish := func(b []byte) []byte { return []byte(strings.Repeat("rubbish ", 1+len(b)/64)) }
	none := func([]byte) []byte { return nil }
	for name, tt := range map[string]struct {
		middle, last func(b []byte) []byte // what is left of the last segments; nil: all
		less         uint64                // than the last segment's name says has the database applied
		donors       []string
		status       repair.Status
		remedies     []string
	}{
		"last is empty":     {nil, none, 1, nil, repair.StatusLoss, []string{"cut"}},
		"last is zeros":     {nil, zeros, 1, nil, repair.StatusLoss, []string{"cut"}},
		"last is rubbish":   {nil, rubbish, 1, nil, repair.StatusLoss, []string{"cut"}},
		"two, applied some": {none, rubbish, 5, nil, repair.StatusLoss, []string{"drop_segment", "begin_anew"}},
		"donors have it":    {none, zeros, 5, []string{"m2", "m3"}, repair.StatusRepair, []string{"drop_segment", "splice"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPatient(t, "c36-3m-clean", "m1")
			p.split()
			last := p.named(-1) - 1
			for k, left := range map[int]func(b []byte) []byte{-2: tt.middle, -1: tt.last} {
				if left == nil {
					continue
				}
				b, err := os.ReadFile(p.segment(k))
				p.must(err)
				p.must(os.WriteFile(p.segment(k), left(b), 0o600))
			}
			remove(t, below(p.dir, "snap/*.snap"))
			setMeta(t, p.dir, "consistent_index", last+1-tt.less)
			_, plan := p.plan(repair.PlanOptions{Donors: donorsOf(t, "c36-3m-clean", tt.donors...)})
			if plan.Status != tt.status || !cmp.Equal(remedies(plan), tt.remedies) {
				t.Fatalf("%s by %q, want %s by %q: %v", plan.Status, remedies(plan), tt.status, tt.remedies, plan.Refused)
			}
			if tt.status == repair.StatusRepair {
				return
			}
			var lost []repair.Range
			if tt.less > 1 {
				lost = []repair.Range{{First: last + 2 - tt.less, Last: last}}
			}
			if says := "the head of " + filepath.Base(p.segment(-1)) + " is gone"; !strings.Contains(plan.Cost.Beside, says) ||
				!cmp.Equal(plan.Cost.Lost, lost) {
				t.Errorf("loses %v; %s; want %v; %s", plan.Cost.Lost, plan.Cost.Beside, lost, says)
			}
		})
	}
}

// Of an entry behind one that is gone without a trace nothing proves anything. What its bytes say is told all the same.
func TestEntryBehindOneThatIsGone(t *testing.T) {
	p := newPatient(t, "c36-3m-clean", "m1")
	setMeta(t, p.dir, "consistent_index", 1900)
	remove(t, below(p.dir, "snap/*.snap"))
	p.reframe(func(r *wal.Record) []wal.Record {
		var h raftpb.HardState
		if r.Kind != wal.KindState || h.Unmarshal(r.Data) != nil {
			return []wal.Record{*r}
		}
		h.Commit = min(h.Commit, 1945)
		return []wal.Record{stateRecord(h)}
	})
	from, to := p.record(1945).Pos.Off, p.record(1946).Pos.Off
	b, err := os.ReadFile(p.segment(0))
	p.must(err)
	p.must(os.WriteFile(p.segment(0), append(b[:from:from], b[to:]...), 0o600))
	_, plan := p.plan(repair.PlanOptions{})
	if want := []repair.Range{{First: 1945, Last: 1946}}; plan.Status != repair.StatusLoss || !cmp.Equal(plan.Cost.Lost, want) {
		t.Errorf("%s, loses %v, want %s, %v: %v", plan.Status, plan.Cost.Lost, repair.StatusLoss, want, plan.Steps)
	}
}
