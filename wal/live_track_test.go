package wal

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/raftpb"
)

// step is one record of a history, as tests write them down.
type step struct {
	kind Kind
	id   raftpb.EntryID
	st   raftpb.HardState
}

func ent(term, index uint64) step {
	return step{kind: KindEntry, id: raftpb.EntryID{Term: term, Index: index}}
}

func snap(term, index uint64) step {
	return step{kind: KindSnapshot, id: raftpb.EntryID{Term: term, Index: index}}
}

func state(term, commit uint64) step {
	return step{kind: KindState, st: raftpb.HardState{Term: term, Vote: 1, Commit: commit}}
}

// lost stands for damage.
func lost() step { return step{kind: KindDamage} }

// track feeds steps to a liveLog, the i-th at offset 8*i of segment i/perSegment.
func track(steps []step, perSegment int) (*liveLog, *findings) {
	f := &findings{}
	t := &liveLog{found: f}
	b := newBudget()
	var h *eventList
	for i, s := range steps {
		if i%perSegment == 0 {
			feed(t, h)
			h = newEventList(i/perSegment, b)
		}
		switch off := int64(8 * i); s.kind {
		case KindEntry:
			h.entry(s.id, off, false)
		case KindSnapshot:
			h.snapshot(&Snapshot{Index: s.id.Index, Term: s.id.Term}, off)
		case KindState:
			if c, detail := h.state(s.st, off); detail != "" {
				f.add(place{i / perSegment, off}, c, detail)
			}
		case KindDamage:
			h.gap(off, &Finding{}, true)
		}
	}
	feed(t, h)
	t.end()
	return t, f
}

func feed(t *liveLog, h *eventList) {
	if h == nil {
		return
	}
	lookAhead(h.events)
	for i := range h.events {
		t.apply(&h.events[i])
	}
}

// liveText writes the live entries as "1..3/1 4..4/2".
func (t *liveLog) liveText() string {
	var parts []string
	for _, r := range t.runs {
		parts = append(parts, fmt.Sprintf("%d..%d/%d", r.first, r.last, r.term))
	}
	return strings.Join(parts, " ")
}

func rangesText(ranges []IndexRange) string {
	var parts []string
	for _, r := range ranges {
		parts = append(parts, fmt.Sprintf("%d..%d", r.First, r.Last))
	}
	return strings.Join(parts, " ")
}

// entries are those of one term with indexes lo to hi, both inclusive.
func entries(term, lo, hi uint64) (out []step) {
	for i := lo; i <= hi; i++ {
		out = append(out, ent(term, i))
	}
	return out
}

// steps joins steps and lists of steps.
func steps(parts ...any) (out []step) {
	for _, p := range parts {
		switch p := p.(type) {
		case step:
			out = append(out, p)
		case []step:
			out = append(out, p...)
		}
	}
	return out
}

func TestTracker(t *testing.T) {
	tests := map[string]struct {
		steps  []step
		live   string // runs, as first..last/term
		ranges string
		errs   []Class
	}{
		"plain":        {entries(1, 1, 5), "1..5/1", "1..5", nil},
		"starts above": {entries(1, 2, 5), "2..5/1", "2..5", []Class{ClassIndexGap}},
		"index 0":      {entries(1, 0, 0), "", "", []Class{ClassIndexGap}},
		"overwrite": {
			steps(entries(1, 1, 5), entries(2, 3, 4)), "1..2/1 3..4/2", "1..4", nil,
		},
		"overwrite all": {
			steps(entries(1, 1, 5), entries(2, 1, 2)), "1..2/2", "1..2", nil,
		},
		"overwrite right behind damage": {
			steps(entries(1, 1, 4), lost(), entries(2, 5, 6), ent(3, 5)), "1..4/1 5..5/3", "1..4 5..5", nil,
		},
		"overwrite across damage": {
			steps(entries(1, 1, 4), lost(), entries(2, 6, 7), ent(3, 4)), "1..3/1 4..4/3", "1..3 4..4",
			[]Class{ClassIndexGap},
		},
		"gap": {
			steps(entries(1, 1, 2), entries(1, 5, 6)), "1..2/1 5..6/1", "1..2 5..6",
			[]Class{ClassIndexGap},
		},
		"term back": {
			steps(entries(3, 1, 2), ent(2, 3)), "1..2/3 3..3/2", "1..2 3..3", []Class{ClassTermBack},
		},
		"local snapshot": {
			steps(entries(1, 1, 4), state(1, 4), snap(1, 3), entries(1, 5, 6)), "1..6/1", "1..6", nil,
		},
		"leader snapshot": {
			steps(entries(1, 1, 4), state(1, 3), snap(2, 9), state(2, 9), entries(2, 10, 11)),
			"1..3/1 10..11/2", "1..3 10..11", nil,
		},
		"leader snapshot inside the tail": {
			steps(entries(1, 1, 8), state(1, 3), snap(2, 6), state(2, 6), ent(2, 7)),
			"1..3/1 7..7/2", "1..3 7..7", nil,
		},
		"leader snapshot of the same term": {
			steps(entries(1, 1, 4), state(1, 2), snap(1, 9), state(1, 9), entries(1, 10, 11)),
			"1..4/1 10..11/1", "1..4 10..11", nil,
		},
		"leader snapshot, gap behind": {
			steps(entries(1, 1, 4), state(1, 4), snap(2, 9), ent(2, 12)),
			"1..4/1 12..12/2", "1..4 12..12", []Class{ClassIndexGap},
		},
		"snapshot of another term": {
			steps(entries(1, 1, 4), state(1, 4), snap(2, 3)), "1..4/1", "1..4",
			[]Class{ClassSnapshotConflict},
		},
		"committed overwritten": {
			steps(entries(1, 1, 4), state(1, 3), ent(2, 3)), "1..2/1 3..3/2", "1..3",
			[]Class{ClassCommittedOverwritten},
		},
		"commit beyond the last": {
			steps(entries(1, 1, 4), state(1, 5)), "1..4/1", "1..4", []Class{ClassCommitBeyond},
		},
		"commit beyond, then there": {
			steps(entries(1, 1, 4), state(1, 5), ent(1, 5)), "1..5/1", "1..5",
			[]Class{ClassCommitBeyond},
		},
		"commit ahead of a leader snapshot": {
			steps(entries(1, 1, 4), state(1, 4), state(2, 9), snap(2, 9), ent(2, 10)),
			"1..4/1 10..10/2", "1..4 10..10", nil,
		},
		"commit back": {
			steps(entries(1, 1, 4), state(1, 4), ent(1, 5), state(1, 3)), "1..5/1", "1..5",
			[]Class{ClassCommitBack},
		},
		"state term back": {
			steps(ent(1, 1), state(3, 1), ent(3, 2), state(2, 1)), "1..1/1 2..2/3", "1..2",
			[]Class{ClassTermBack, ClassTermBack},
		},
		"state below term": {
			steps(ent(3, 1), state(2, 0)), "1..1/3", "1..1", []Class{ClassTermBack},
		},
		"damage, same term, adjacent": {
			steps(entries(1, 1, 4), lost(), entries(1, 5, 6)), "1..6/1", "1..6", nil,
		},
		"damage, other term, adjacent": {
			steps(entries(1, 1, 4), lost(), entries(2, 5, 6)), "1..4/1 5..6/2", "1..4 5..6", nil,
		},
		"same term again": {
			steps(entries(4, 1, 8), state(4, 3), ent(4, 5), state(4, 5), ent(4, 9)), "1..9/4", "1..9",
			[]Class{ClassSameTerm},
		},
		"same term again, and beyond": {
			steps(entries(4, 1, 8), ent(4, 8), ent(4, 9)), "1..9/4", "1..9", []Class{ClassSameTerm},
		},
		"an older term again": {
			steps(entries(4, 1, 8), ent(3, 5)), "1..8/4", "1..8", []Class{ClassTermBack},
		},
		"own snapshot of a committed entry that is lost": {
			steps(entries(1, 1, 4), lost(), entries(1, 6, 8), state(1, 8), snap(1, 5), entries(1, 9, 10)),
			"1..4/1 6..10/1", "1..4 6..10", []Class{ClassIndexGap},
		},
		"own snapshot, the next entry tells": {
			steps(entries(1, 1, 4), state(1, 2), lost(), entries(1, 8, 10), snap(1, 6), ent(1, 11)),
			"1..4/1 8..11/1", "1..4 8..11", []Class{ClassIndexGap},
		},
		"leader snapshot, the next entry tells": {
			steps(entries(1, 1, 4), state(1, 2), lost(), entries(1, 8, 10), snap(2, 6), ent(2, 7)),
			"1..4/1 7..7/2", "1..4 7..7", []Class{ClassIndexGap},
		},
		"leader snapshot where damage hides that entries were overwritten": {
			steps(entries(1, 1, 4), entries(6, 5, 7), state(6, 2), lost(), snap(9, 6), entries(10, 7, 8)),
			"1..4/1 5..5/6 7..8/10", "1..5 7..8", nil,
		},
		"no entry tells whose snapshot it is": {
			steps(entries(1, 1, 4), state(1, 2), lost(), entries(1, 8, 10), snap(1, 6)),
			"1..4/1 8..10/1", "1..4 8..10", []Class{ClassIndexGap},
		},
		"damage, snapshot above": {
			steps(entries(1, 1, 4), state(1, 2), lost(), snap(1, 6), entries(1, 8, 9)),
			"1..4/1 8..9/1", "1..4 8..9", []Class{ClassIndexGap},
		},
	}
	for name, tt := range tests {
		for _, per := range []int{1, 3, 1000} {
			t.Run(fmt.Sprintf("%s/%d", name, per), func(t *testing.T) {
				tr, f := track(tt.steps, per)
				if got := tr.liveText(); got != tt.live {
					t.Errorf("live entries %q, want %q", got, tt.live)
				}
				if got := rangesText(tr.ranges()); got != tt.ranges {
					t.Errorf("ranges %q, want %q", got, tt.ranges)
				}
				var errs []Class
				for _, p := range f.sorted(nil) {
					if p.Severity == SeverityError {
						errs = append(errs, p.Class)
					}
				}
				if diff := cmp.Diff(tt.errs, errs); diff != "" {
					t.Errorf("errors (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// raftHistory makes a history that a raft member can produce.
func raftHistory(rng *rand.Rand, n int) (steps []step) {
	var log []raftpb.EntryID // live, possibly with a gap below a leader's snapshot
	last, commit, term := uint64(0), uint64(0), uint64(1)
	at := func(index uint64) (raftpb.EntryID, bool) {
		i := slices.IndexFunc(log, func(id raftpb.EntryID) bool { return id.Index == index })
		if i < 0 {
			return raftpb.EntryID{}, false
		}
		return log[i], true
	}
	for range n {
		switch rng.IntN(8) {
		case 0: // a new leader overwrites what is not committed
			term++
			if last > commit {
				last -= rng.Uint64N(last - commit + 1)
			}
			var gone []uint64 // terms of what is overwritten
			log = slices.DeleteFunc(log, func(id raftpb.EntryID) bool {
				if id.Index > last {
					gone = append(gone, id.Term)
				}
				return id.Index > last
			})
			// It may have entries of a leader in between, which this member doesn't know.
			if id, ok := at(last); ok && rng.IntN(3) == 0 {
				if old := id.Term + rng.Uint64N(term-id.Term); !slices.Contains(gone, old) {
					last++
					log = append(log, raftpb.EntryID{Term: old, Index: last})
					steps = append(steps, state(term, commit), ent(old, last))
				}
			}
			fallthrough
		case 1, 2, 3:
			for range 1 + rng.IntN(4) {
				last++
				log = append(log, raftpb.EntryID{Term: term, Index: last})
				steps = append(steps, ent(term, last))
			}
		case 4, 5:
			commit += rng.Uint64N(last - commit + 1)
			steps = append(steps, state(term, commit))
		case 6: // a snapshot taken here
			if id, ok := at(commit); ok {
				steps = append(steps, step{kind: KindSnapshot, id: id})
			}
		case 7: // one from the leader of a later term, above everything committed
			if rng.IntN(4) == 0 {
				term++
				steps = append(steps, state(term, commit))
				log = slices.DeleteFunc(log, func(id raftpb.EntryID) bool { return id.Index > commit })
				commit += 1 + rng.Uint64N(last-commit+5)
				last = commit
				steps = append(steps, snap(term, commit), state(term, commit))
			}
		}
	}
	return append(steps, state(term, commit))
}

// naiveLive follows a history one entry at a time. It maps index to the record that is live.
func naiveLive(steps []step) map[uint64]int {
	live := map[uint64]int{}
	drop := func(lo uint64) {
		for i := range live {
			if i >= lo {
				delete(live, i)
			}
		}
	}
	var commit uint64
	for n, s := range steps {
		switch s.kind {
		case KindEntry:
			drop(s.id.Index)
			live[s.id.Index] = n
		case KindState:
			commit = s.st.Commit
		case KindSnapshot:
			if k, ok := live[s.id.Index]; (!ok || steps[k].id != s.id) && s.id.Index > commit {
				drop(min(commit, s.id.Index) + 1)
			}
		}
	}
	return live
}

func TestTrackerAgainstNaive(t *testing.T) {
	for seed := range uint64(3000) {
		rng := rand.New(rand.NewPCG(seed, 1))
		steps := raftHistory(rng, 5+rng.IntN(60))
		per := 1 + rng.IntN(20)
		tr, f := track(steps, per)
		if f.bad {
			t.Fatalf("seed %d: a legal history has errors: %+v", seed, f.sorted(nil))
		}
		live := naiveLive(steps)
		var total uint64
		for _, r := range tr.runs {
			for i := r.first; i <= r.last; i++ {
				if k, ok := live[i]; !ok || steps[k].id.Term != r.term {
					t.Fatalf("seed %d: entry %d/%d is not live", seed, r.term, i)
				}
			}
			total += r.last - r.first + 1
		}
		if total != uint64(len(live)) {
			t.Fatalf("seed %d: %d live entries, want %d", seed, total, len(live))
		}
		for n, s := range steps {
			if s.kind != KindEntry {
				continue
			}
			got := s.id.Index < tr.overwrites.lowest(place{n / per, int64(8 * n)})
			if k, ok := live[s.id.Index]; got != (ok && k == n) {
				t.Fatalf("seed %d: record %d, entry %v: live %v", seed, n, s.id, got)
			}
		}
	}
}

func TestMinus(t *testing.T) {
	tests := []struct {
		a, b []span
		want []IndexRange
	}{
		{nil, []span{{1, 2, 1}}, nil},
		{[]span{{1, 5, 1}}, nil, []IndexRange{{1, 5}}},
		{[]span{{1, 5, 1}}, []span{{1, 5, 1}}, nil},
		{[]span{{1, 5, 1}}, []span{{2, 3, 1}}, []IndexRange{{1, 1}, {4, 5}}},
		{[]span{{1, 5, 1}, {6, 9, 2}}, []span{{1, 3, 1}, {4, 9, 2}}, []IndexRange{{4, 5}}},
		{[]span{{1, 5, 1}, {6, 9, 2}}, []span{{1, 5, 1}, {6, 9, 3}}, []IndexRange{{6, 9}}},
		{[]span{{1, 5, 1}, {6, 9, 2}}, []span{{7, 7, 2}, {20, 30, 2}}, []IndexRange{{1, 6}, {8, 9}}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, indexRanges(minus(tt.a, tt.b))); diff != "" {
			t.Errorf("minus(%v, %v) (-want +got):\n%s", tt.a, tt.b, diff)
		}
	}
}

// A leader may send entries of an older term than those which they overwrite: those of a leader that lost
// its place before it could commit them, as in figure 8 of the Raft paper. The member's term tells, which is
// saved in the same write.
func TestOverwriteWithOlderTerm(t *testing.T) {
	tests := map[string]struct {
		steps []step
		live  string
		errs  int
	}{
		"a later leader": {
			steps(entries(1, 1, 6), entries(3, 7, 8), state(3, 6), ent(2, 7), ent(5, 8), state(5, 6)),
			"1..6/1 7..7/2 8..8/5", 0,
		},
		"a later leader, and the rest in another write": {
			steps(entries(1, 1, 6), ent(3, 7), state(3, 6), entries(2, 7, 8), state(5, 6), ent(5, 9)),
			"1..6/1 7..8/2 9..9/5", 0,
		},
		"a later leader that the member voted for": {
			steps(entries(1, 1, 6), ent(3, 7), state(3, 6), state(5, 6), ent(2, 7)), "1..6/1 7..7/2", 0,
		},
		"no later leader": {
			steps(entries(1, 1, 6), ent(3, 7), state(3, 6), ent(2, 7), state(3, 7)), "1..6/1 7..7/3", 1,
		},
	}
	for name, tc := range tests {
		live, found := track(tc.steps, 100)
		if got := live.liveText(); got != tc.live {
			t.Errorf("%s: live entries %q, want %q", name, got, tc.live)
		}
		if got := len(found.kept[ClassTermBack]); got != tc.errs {
			t.Errorf("%s: %d findings of terms that go back, want %d", name, got, tc.errs)
		}
	}
}
