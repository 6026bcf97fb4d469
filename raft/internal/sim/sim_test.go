package sim

import (
	"flag"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

var (
	first = flag.Uint64("sim.first", 0, "the first seed of TestWorlds")
	seeds = flag.Uint64("sim.seeds", defaultSeeds, "the number of seeds of TestWorlds")
	rows  = flag.Int("sim.rows", 120, "the rows of a failing seed's ladder, 0 for all")
)

// TestWorlds runs many seeds, in as many goroutines as there are processors.
func TestWorlds(t *testing.T) {
	var (
		next   atomic.Uint64
		mu     sync.Mutex
		total  Stats
		events int
		wg     sync.WaitGroup
	)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < *seeds && !t.Failed(); i = next.Add(1) - 1 {
				res := Run(*first+i, nil)
				if res.Err != nil {
					explain(t, &res)
				}
				mu.Lock()
				total.Add(&res.Stats)
				events += res.Events
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	t.Logf("%d seeds from %d: %d events, %+v", *seeds, *first, events, total)
}

// explain tells what a seed found, how to see it again, and draws it.
func explain(t *testing.T, res *Result) {
	ladder := &Ladder{Last: *rows}
	again := Run(res.Seed, ladder)
	var b strings.Builder
	if _, err := ladder.WriteTo(&b); err != nil {
		t.Error(err)
	}
	t.Errorf("seed %d: %v\nreplay: go test ./raft/internal/sim -run TestWorlds "+
		"-sim.first %[1]d -sim.seeds 1 -sim.rows 0\nrecord: go test ./raft/internal/onlooker -run TestRecord "+
		"-onlooker.first %[1]d -onlooker.seeds 1 -onlooker.save $PWD\n%[3]s", res.Seed, res.Err, b.String())
	if again.Err == nil || again.Sum != res.Sum {
		t.Errorf("seed %d: the second run was another one: %x, then %x",
			res.Seed, res.Sum, again.Sum)
	}
}

// TestSameSeedSameRun runs seeds twice.
func TestSameSeedSameRun(t *testing.T) {
	for seed := range uint64(30) {
		a, b := Run(seed, nil), Run(seed, new(Ladder))
		if a.Sum != b.Sum || a.Events != b.Events {
			t.Errorf("seed %d: %d events with sum %x, then %d with %x",
				seed, a.Events, a.Sum, b.Events, b.Sum)
		}
	}
}

// TestMain refuses to run nothing.
func TestMain(m *testing.M) {
	flag.Parse()
	if *seeds == 0 {
		os.Stderr.WriteString("sim.seeds is 0\n")
		os.Exit(2)
	}
	os.Exit(m.Run())
}
