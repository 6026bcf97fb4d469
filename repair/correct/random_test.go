package correct_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

// wrecks are ways to damage more than one bit. Each returns where it did.
var wrecks = map[string]func(rng *rand.Rand, b []byte) (lo, hi int){
	"two bits of a byte": func(rng *rand.Rand, b []byte) (int, int) {
		i, bit := rng.IntN(len(b)), rng.IntN(8)
		b[i] ^= 1<<bit | 1<<((bit+1+rng.IntN(7))%8)
		return i, i + 1
	},
	"two bits nearby": func(rng *rand.Rand, b []byte) (int, int) {
		lo := rng.IntN(len(b) - 32)
		b[lo] ^= 1 << rng.IntN(8)
		b[lo+1+rng.IntN(30)] ^= 1 << rng.IntN(8)
		return lo, lo + 31
	},
	"two bits":        func(rng *rand.Rand, b []byte) (int, int) { flipBits(rng, b, 2); return 0, len(b) },
	"three bits":      func(rng *rand.Rand, b []byte) (int, int) { flipBits(rng, b, 3); return 0, len(b) },
	"six bits":        func(rng *rand.Rand, b []byte) (int, int) { flipBits(rng, b, 6); return 0, len(b) },
	"byte":            func(rng *rand.Rand, b []byte) (int, int) { return overwrite(rng, b, 1, 1) },
	"word of 16 bits": func(rng *rand.Rand, b []byte) (int, int) { return overwrite(rng, b, 2, 2) },
	"word of 32 bits": func(rng *rand.Rand, b []byte) (int, int) { return overwrite(rng, b, 4, 4) },
	"word of 64 bits": func(rng *rand.Rand, b []byte) (int, int) { return overwrite(rng, b, 8, 8) },
	"burst":           func(rng *rand.Rand, b []byte) (int, int) { return overwrite(rng, b, 1, 1+rng.IntN(40)) },
	"zeros": func(rng *rand.Rand, b []byte) (int, int) {
		lo := rng.IntN(len(b))
		hi := min(len(b), lo+1+rng.IntN(64))
		clear(b[lo:hi])
		return lo, hi
	},
	"ones": func(rng *rand.Rand, b []byte) (int, int) {
		lo := rng.IntN(len(b))
		hi := min(len(b), lo+1+rng.IntN(16))
		for i := lo; i < hi; i++ {
			b[i] = 0xff
		}
		return lo, hi
	},
}

func flipBits(rng *rand.Rand, b []byte, n int) {
	for range n {
		b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
	}
}

// overwrite puts n random bytes at a multiple of align.
func overwrite(rng *rand.Rand, b []byte, align, n int) (int, int) {
	lo := rng.IntN(len(b)) / align * align
	hi := min(lo+n, len(b))
	for i := lo; i < hi; i++ {
		b[i] = byte(rng.Uint32())
	}
	return lo, hi
}

// runs returns how often each kind of damage is done: 400 times, or 1000 for each of RAFTCTL_SEEDS.
func runs(t *testing.T) int {
	t.Helper()
	text := os.Getenv("RAFTCTL_SEEDS")
	if text == "" {
		return 400
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("RAFTCTL_SEEDS: %v", err)
	}
	return 1000 * n
}

// wrongOnce is of how many damages one may be corrected wrongly: where many errors are tried, one fits by chance, as the
// corrections say.
const wrongOnce = 10_000

// TestNeverWrong damages more than one bit: whatever is corrected is what it was.
func TestNeverWrong(t *testing.T) {
	runs := runs(t)
	for name, wreck := range wrecks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			right, partly, refused, wrong := 0, 0, 0, 0
			for seed := range uint64(runs) {
				rng := rand.New(rand.NewPCG(seed, 1))
				was := build(raftpb.Flavor(rng.IntN(2)), rng.IntN(4) == 0, 3).files(rng.IntN(3), 160)
				f := was.clone()
				names := f.names()
				file := names[rng.IntN(len(names))]
				lo, hi := wreck(rng, f[file])
				wrecked := f.clone()
				done, _ := mend(t, f, was)
				where, i := f.wrong(wrecked, was)
				switch {
				case where != "":
					t.Logf("seed %d: %s [%d, %d): byte %d of %s is %02x, was %02x: %v", seed, file, lo, hi, i, where, f[where][i],
						was[where][i], howOf(done))
					wrong++
				case f.equal(was):
					right++
				case len(done) > 0:
					partly++
				default:
					refused++
				}
			}
			t.Logf("%-20s %d right, %d in part, %d refused, %d wrong", name, right, partly, refused, wrong)
			if wrong*wrongOnce > runs {
				t.Errorf("%d of %d are corrected wrongly", wrong, runs)
			}
		})
	}
}

// wrong returns a byte that a correction changed and that isn't what it was; the file's name is empty for none.
func (f files) wrong(wrecked, was files) (file string, i int) {
	for file, b := range f {
		for i := range b {
			if b[i] != wrecked[file][i] && b[i] != was[file][i] {
				return file, i
			}
		}
	}
	return "", 0
}
