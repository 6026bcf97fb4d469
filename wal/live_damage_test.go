package wal

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

// randomLog returns a log with elections that overwrite entries, snapshots of the member's own and of
// leaders, and several segments, as a healthy member writes it.
func randomLog(rng *rand.Rand) *logBuilder {
	b := newLogBuilder(raftpb.FlavorGogo)
	term, commit, applied := uint64(1), uint64(0), uint64(0)
	terms := map[uint64]uint64{}
	for range 120 + rng.IntN(120) {
		switch rng.IntN(30) {
		case 0: // a new leader, which may overwrite what isn't committed
			term++
			b.index = commit + uint64(rng.IntN(int(b.index-commit)+1))
		case 1:
			if applied = commit; terms[applied] > 0 {
				at := applied - uint64(rng.IntN(2))%applied
				b.snapshot(raftpb.EntryID{Term: cmp.Or(terms[at], terms[applied]), Index: at})
			}
		case 2:
			if b.index < 40 {
				break
			}
			term++
			b.index += uint64(rng.IntN(20))
			commit = b.index
			b.snapshot(raftpb.EntryID{Term: term, Index: b.index})
		case 3:
			b.cut()
			b.state(term, commit)
		}
		value := make([]byte, 1+rng.IntN(400))
		for i := range value {
			value[i] = byte(1 + rng.IntN(255))
		}
		b.entry(term, value)
		terms[b.index] = term
		if rng.IntN(3) > 0 {
			commit = b.index - uint64(rng.IntN(3))%(b.index-commit+1)
			b.state(term, commit)
		}
	}
	return b
}

func (b *logBuilder) snapshot(id raftpb.EntryID) {
	b.add(KindSnapshot, (&Snapshot{
		Index: id.Index, Term: id.Term, ConfState: &raftpb.ConfState{Voters: []uint64{1}},
	}).AppendTo(nil, b.flavor))
}

// TestDamageHidesNothing damages logs in random places and ways. An entry that was live before and
// whose record the damage doesn't touch is live still.
func TestDamageHidesNothing(t *testing.T) {
	for seed := range uint64(1000) {
		rng := rand.New(rand.NewPCG(seed, 9))
		b := randomLog(rng)
		log := b.files(4096)
		before := liveRecords(t, log)
		damaged := maps.Clone(log)
		touched := map[Position]bool{}
		for range 1 + rng.IntN(3) {
			s := b.segs[rng.IntN(len(b.segs))]
			damageSegment(rng, s, damaged, touched)
		}
		for _, s := range b.segs {
			unproven(s, touched)
		}
		after := liveRecords(t, damaged)
		for pos, id := range before {
			if !touched[pos] && after[pos] != id {
				t.Errorf("seed %d: entry %v at %v is hidden", seed, id, pos)
			}
		}
		if t.Failed() {
			t.Log(findingLines(verifyMap(t, damaged, VerifyOptions{})))
			return
		}
	}
}

// unproven notes the frames that stand alone between two that are touched: nothing is left to prove
// them.
func unproven(s *bytesOf, touched map[Position]bool) {
	at := func(i int) Position { return Position{s.name.String(), int64(s.frames[i])} }
	var alone []Position
	for i := 1; i+1 < len(s.frames); i++ {
		if touched[at(i-1)] && touched[at(i+1)] {
			alone = append(alone, at(i))
		}
	}
	for _, pos := range alone {
		touched[pos] = true
	}
}

func liveRecords(t *testing.T, log map[string][]byte) map[Position]raftpb.EntryID {
	t.Helper()
	l, err := Open(mapFS(log), "wal")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	v, err := l.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	live := map[Position]raftpb.EntryID{}
	for r, err := range l.Records(Inspect) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Kind == KindEntry && v.Live(r.Pos, r.ID.Index) {
			live[r.Pos] = r.ID
		}
	}
	return live
}

// damageSegment changes bytes of a segment behind its head, and notes the frames that it touches. It
// leaves the last records alone, which prove those before them.
func damageSegment(rng *rand.Rand, s *bytesOf, log map[string][]byte, touched map[Position]bool) {
	name := s.name.String()
	file := append([]byte(nil), log[name]...)
	log[name] = file
	const proof = 5
	if len(s.frames) < 2*proof {
		return
	}
	end := s.frames[len(s.frames)-proof]
	lo := s.frames[2] + rng.IntN(end-s.frames[2])
	hi := lo + 1
	switch rng.IntN(3) {
	case 0:
		file[lo] ^= byte(1 << rng.IntN(8))
	case 1:
		lo -= lo % sectorSize
		lo = max(lo, s.frames[2])
		hi = min(lo-lo%sectorSize+sectorSize*(1+rng.IntN(2)), end)
		clear(file[lo:hi])
	case 2:
		hi = min(lo+1+rng.IntN(600), end)
		for i := lo; i < hi; i++ {
			file[i] = byte(rng.Uint32())
		}
	}
	for i, off := range s.frames {
		next := len(s.b)
		if i+1 < len(s.frames) {
			next = s.frames[i+1]
		}
		if off < hi && next > lo {
			touched[Position{name, int64(off)}] = true
		}
	}
}
