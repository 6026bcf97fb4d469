package quorum

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// acks tells how far voters have acknowledged.
type acks map[uint64]Index

func (a acks) AckedIndex(id uint64) (Index, bool) {
	index, found := a[id]
	return index, found
}

// dumbCommitted counts, for each index that somebody has acknowledged, how many have.
func dumbCommitted(s Set, a acks) Index {
	if len(s) == 0 {
		return Unbounded
	}
	best := Index(0)
	for _, candidate := range a {
		n := 0
		for _, id := range s {
			if a[id] >= candidate {
				n++
			}
		}
		if n > len(s)/2 {
			best = max(best, candidate)
		}
	}
	return best
}

// dumbVote asks whether yes can win, and whether it can still lose, by filling in the missing
// votes.
func dumbVote(s Set, votes map[uint64]bool) VoteResult {
	count := func(missing bool) int {
		n := 0
		for _, id := range s {
			v, voted := votes[id]
			if (voted && v) || (!voted && missing) {
				n++
			}
		}
		return n
	}
	switch {
	case len(s) == 0 || 2*count(false) > len(s):
		return VoteWon
	case 2*count(true) > len(s):
		return VotePending
	}
	return VoteLost
}

func randomSet(r *rand.Rand, n int) Set {
	var ids []uint64
	for range r.IntN(n) {
		ids = append(ids, 1+r.Uint64N(uint64(n)))
	}
	return NewSet(ids...)
}

func TestCommittedIndexAgainstCounting(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 20_000 {
		j := Joint{randomSet(r, 13), randomSet(r, 13)}
		a := acks{}
		for _, id := range j.IDs() {
			if r.IntN(4) > 0 {
				a[id] = Index(r.IntN(8))
			}
		}
		want := min(dumbCommitted(j[0], a), dumbCommitted(j[1], a))
		if got := j.CommittedIndex(a); got != want {
			t.Fatalf("%v with %v: committed %v, want %v", j, a, got, want)
		}
		if got := (Joint{j[1], j[0]}).CommittedIndex(a); got != want {
			t.Fatalf("%v with %v: halves swapped: committed %v, want %v", j, a, got, want)
		}
	}
}

func TestVoteResultAgainstFillingIn(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 20_000 {
		j := Joint{randomSet(r, 9), randomSet(r, 9)}
		votes := map[uint64]bool{}
		for _, id := range j.IDs() {
			if r.IntN(3) > 0 {
				votes[id] = r.IntN(2) == 0
			}
		}
		in, out := dumbVote(j[0], votes), dumbVote(j[1], votes)
		want := VotePending
		switch {
		case in == VoteLost || out == VoteLost:
			want = VoteLost
		case in == VoteWon && out == VoteWon:
			want = VoteWon
		}
		lookup := func(id uint64) (bool, bool) { v, ok := votes[id]; return v, ok }
		if got := j.VoteResult(lookup); got != want {
			t.Fatalf("%v with %v: %v, want %v", j, votes, got, want)
		}
	}
}

// TestQuorumsIntersect checks what all of Raft rests on: two sets of voters that both win share a
// member, in each half.
func TestQuorumsIntersect(t *testing.T) {
	for n := 1; n <= 7; n++ {
		var s Set
		for id := range uint64(n) {
			s = s.With(id + 1)
		}
		wins := func(mask int) bool {
			vote := func(id uint64) (bool, bool) { return mask>>(id-1)&1 == 1, true }
			return s.VoteResult(vote) == VoteWon
		}
		for a := range 1 << n {
			for b := range 1 << n {
				if wins(a) && wins(b) && a&b == 0 {
					t.Fatalf("%d voters: %b and %b both win", n, a, b)
				}
			}
		}
	}
}

func TestSetOperations(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 2000 {
		s, model := Set(nil), map[uint64]bool{}
		for range 20 {
			id, before := 1+r.Uint64N(9), slices.Clone(s)
			var next Set
			if r.IntN(2) == 0 {
				next, model[id] = s.With(id), true
			} else {
				next = s.Without(id)
				delete(model, id)
			}
			if !slices.Equal(s, before) {
				t.Fatalf("changing %v by %d changed the original to %v", before, id, s)
			}
			s = next
			if len(s) != len(model) || !slices.IsSorted(s) || s.Contains(id) != model[id] {
				t.Fatalf("%v after changing %d, want the keys of %v", s, id, model)
			}
		}
		if len(s) == 0 && s != nil {
			t.Fatalf("empty set is %#v, want nil", s)
		}
	}
}

func TestStrings(t *testing.T) {
	tests := []struct{ got, want string }{
		{NewSet(11, 2, 1, 2).String(), "(1 2 b)"},
		{Set(nil).String(), "()"},
		{Joint{NewSet(1, 2), NewSet(3)}.String(), "(1 2)&&(3)"},
		{Joint{NewSet(1, 2)}.String(), "(1 2)"},
		{Unbounded.String(), "∞"},
		{Index(7).String(), "7"},
		{fmt.Sprint(VotePending, VoteLost, VoteWon), "VotePending VoteLost VoteWon"},
		{Set(nil).Describe(acks{}), "<empty majority quorum>"},
		{
			NewSet(1, 2, 3).Describe(acks{1: 5, 3: 9}),
			"       idx\nx>       5    (id=1)\n?        0    (id=2)\nxx>      9    (id=3)\n",
		},
	}
	for _, test := range tests {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

func TestArithmeticAllocatesNothing(t *testing.T) {
	j := Joint{NewSet(1, 2, 3, 4, 5), NewSet(4, 5, 6, 7)}
	a := acks{1: 1, 2: 2, 3: 3, 4: 4, 5: 5}
	var sink Index
	if n := testing.AllocsPerRun(100, func() { sink = j.CommittedIndex(a) }); n != 0 {
		t.Errorf("CommittedIndex allocates %v times", n)
	}
	if want := Index(0); sink != want {
		t.Errorf("committed %v, want %v", sink, want)
	}
}

func BenchmarkCommittedIndex(b *testing.B) {
	for _, n := range []int{1, 3, 5, 7, 9, 11} {
		b.Run(fmt.Sprintf("voters=%d", n), func(b *testing.B) {
			var s Set
			a := acks{}
			for id := range uint64(n) {
				s = s.With(id)
				a[id] = Index(id * 37 % 11)
			}
			b.ReportAllocs()
			for b.Loop() {
				s.CommittedIndex(a)
			}
		})
	}
}
