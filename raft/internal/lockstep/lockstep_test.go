package lockstep

import (
	"flag"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

var (
	steps  = flag.Int64("lockstep.steps", defaultSteps, "number of steps of TestLockstep")
	first  = flag.Uint64("lockstep.first", 0, "number of the first random input")
	saveTo = flag.String("lockstep.save", "", "folder to write failing inputs to")
)

// TestLockstep plays random inputs until enough steps are done.
func TestLockstep(t *testing.T) { playRandom(t, false, *steps) }

// TestAlone plays random inputs with forged messages and failing disks, which the reference does
// not survive.
func TestAlone(t *testing.T) { playRandom(t, true, *steps/4) }

// reportEvery is the number of steps after which a long run tells how far it is.
const reportEvery = 5_000_000

// playRandom plays random inputs in as many goroutines as there are processors, each world in one.
func playRandom(t *testing.T, alone bool, want int64) {
	var (
		done atomic.Int64
		next atomic.Uint64
		wg   sync.WaitGroup
	)
	next.Store(*first)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for done.Load() < want && !t.Failed() {
				in := randomWorld(next.Add(1) - 1)
				n, failed := play(in, alone, nil)
				if sum := done.Add(int64(n)); sum/reportEvery != (sum-int64(n))/reportEvery {
					t.Logf("%d steps", sum)
				}
				if failed != nil {
					explain(t, in, alone)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d steps in worlds %d to %d", done.Load(), *first, next.Load()-1)
}

// randomWorld returns the random input with a number. Short ones reach the odd beginnings more
// often, long ones what takes a while to come about.
func randomWorld(seed uint64) input {
	lengths := [...]int{100, 300, 1000, 1000, 3000}
	return randomInput(seed, lengths[seed%uint64(len(lengths))])
}

func FuzzLockstep(f *testing.F) { fuzz(f, false) }

func FuzzAlone(f *testing.F) { fuzz(f, true) }

func fuzz(f *testing.F, alone bool) {
	for seed := range uint64(8) {
		f.Add([]byte(randomInput(seed, 60)))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		const limit = headerSize + 3000*opSize
		if _, failed := play(in[:min(len(in), limit)], alone, nil); failed != nil {
			t.Error(failed)
		}
	})
}
