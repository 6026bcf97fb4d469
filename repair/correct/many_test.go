package correct_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

// TestManyBits flips a bit each in several records of a log. All are put right, neighbours too, but where
// the first segments were removed and all that tells what the checksum at the log's head is, is damaged.
func TestManyBits(t *testing.T) {
	const runs = 1000
	for seed := range uint64(runs) {
		rng := rand.New(rand.NewPCG(seed, 2))
		first := rng.IntN(2)
		was := build(raftpb.Flavor(rng.IntN(2)), false, 3).files(first, 160)
		f := was.clone()
		frames := was.frames(t)
		const head, headEnd = 3, 96 // crc, metadata and the record that proves them
		atHead := 0
		for range 2 + rng.IntN(4) {
			e := frames[rng.IntN(len(frames))]
			frames = slices.DeleteFunc(frames, func(x frame) bool { return x.Pos == e.Pos })
			f[e.file][e.Pos.Off+rng.Int64N(e.Len)] ^= 1 << rng.IntN(8)
			if e.file == f.names()[0] && e.Pos.Off < headEnd {
				atHead++
			}
		}
		if done, refused := mend(t, f, was); !f.equal(was) && (first == 0 || atHead < head) {
			t.Errorf("seed %d: %v, left: %v", seed, howOf(done), refused)
		}
	}
}
