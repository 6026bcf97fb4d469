package wal

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// In a damaged log, what is found from a segment on that is whole is what is found from the log's beginning on.
func TestDamagedLogIsReadFromTheMiddle(t *testing.T) {
	later := 0
	for seed := range uint64(120) {
		rng := rand.New(rand.NewPCG(seed, 11))
		b := randomLog(rng)
		files := b.files(4096)
		for range 1 + rng.IntN(2) {
			damageSegment(rng, b.segs[rng.IntN(len(b.segs))], files, map[Position]bool{})
		}
		switch s := b.segs[rng.IntN(len(b.segs))].name.String(); rng.IntN(4) {
		case 0: // a head as well
			files[s] = slices.Clone(files[s])
			files[s][rng.IntN(headSize)] ^= 1 << rng.IntN(8)
		case 1:
			if len(files) > 1 {
				files = maps.Clone(files)
				delete(files, s)
			}
		}
		v := viewOf(t, files)
		slow := *v
		slow.whole = make([]bool, len(v.whole))
		for index := v.First.Index; index <= v.Last.Index; index++ {
			if !v.Sound && v.segmentOf(index) > 0 {
				later++
			}
			at, err := v.Locate(index)
			want, wantErr := slow.Locate(index)
			if at != want || (err == nil) != (wantErr == nil) {
				t.Fatalf("seed %d: entry %d lies at %v (%v), from the beginning on at %v (%v)", seed, index, at, err, want, wantErr)
			}
		}
		for _, r := range v.Ranges {
			got, err := played(v, r.First, r.Last)
			want, wantErr := played(&slow, r.First, r.Last)
			if err != nil || wantErr != nil || !slices.Equal(got, want) {
				t.Fatalf("seed %d: %v gives %d entries (%v), from the beginning on %d (%v)", seed, r, len(got), err, len(want), wantErr)
			}
		}
	}
	if later == 0 {
		t.Error("every log was read from its beginning")
	}
}
