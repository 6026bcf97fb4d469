package sim

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

var (
	first  = flag.Uint64("sim.first", 0, "the first seed of TestWorlds")
	seeds  = flag.Uint64("sim.seeds", defaultSeeds(), "the number of seeds of TestWorlds")
	log    = flag.Bool("sim.log", false, "log what members log")
	folder = flag.String("sim.dir", memoryDir(), "the folder for databases")
)

// defaultSeeds returns the number of seeds: RAFTCTL_SEEDS, or a few.
func defaultSeeds() uint64 {
	if n, err := strconv.ParseUint(os.Getenv("RAFTCTL_SEEDS"), 10, 64); err == nil && n > 0 {
		return n
	}
	return fewSeeds
}

// memoryDir returns a folder in memory, where there is one.
func memoryDir() string {
	const dir = "/dev/shm"
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return dir
	}
	return os.TempDir()
}

// TestWorlds runs many seeds, in as many goroutines as there are processors.
func TestWorlds(t *testing.T) {
	var (
		next  atomic.Uint64
		mu    sync.Mutex
		total Stats
		wg    sync.WaitGroup
	)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < *seeds && !t.Failed(); i = next.Add(1) - 1 {
				res := runSeed(t, *first+i)
				mu.Lock()
				total.Add(&res.Stats)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	t.Logf("%d seeds from %d: %+v", *seeds, *first, total)
	const enough = 300 // seeds, for everything to come to pass
	if missing := total.Missing(); len(missing) > 0 && total.Seeds >= enough {
		t.Errorf("in no world there is: %v", missing)
	}
	if total.Unjudged*50 > total.Seeds {
		t.Errorf("%d of %d histories are too hard to judge", total.Unjudged, total.Seeds)
	}
}

// TestFound runs seeds beyond the usual ones that found something: a member went on for ever whose disk failed when a snapshot's database came.
func TestFound(t *testing.T) {
	for _, seed := range []uint64{1002761} {
		runSeed(t, seed)
	}
}

// runSeed runs a world in a bubble of its own.
func runSeed(t *testing.T, seed uint64) (res Result) {
	dir, err := os.MkdirTemp(*folder, "raftctl-sim")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	t.Run(fmt.Sprint(seed), func(t *testing.T) {
		var tell func(string, ...any)
		if *log {
			tell = t.Logf
		}
		synctest.Test(t, func(*testing.T) { res = Run(seed, dir, tell) })
		res.Judge()
		if res.Err != nil {
			t.Errorf("seed %d: %v\nagain: go test ./node/internal/sim -run TestWorlds -sim.first %[1]d -sim.seeds 1 -sim.log\n%[3]s",
				seed, res.Err, strings.Join(res.Notes, "\n"))
		}
	})
	return res
}

// TestMain has the collector of garbage run seldom: a world makes much of it, and is small.
func TestMain(m *testing.M) {
	flag.Parse()
	if *seeds == 0 {
		os.Stderr.WriteString("sim.seeds is 0\n")
		os.Exit(2)
	}
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}
