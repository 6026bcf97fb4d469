package sim

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/raftctl/raftctl/internal/vfs/faultfs"
	"github.com/raftctl/raftctl/raftpb"
)

// world is a run: members, what connects them, and who asks them.
type world struct {
	seed  uint64
	dir   string // for the databases
	dice  *rand.Rand
	shape shape
	net   *network
	seats []*seat
	began time.Time
	log   func(format string, args ...any)

	running  sync.WaitGroup // members
	lives    []*life        // of the members, when all is calm
	acting   sync.WaitGroup // clients, and who does something to the members
	stamp    atomic.Int64   // orders what clients do
	quiet    atomic.Bool    // clients are to end
	ended    atomic.Bool    // nobody starts any more
	changing atomic.Bool    // the membership
	stats    Stats

	mu      sync.Mutex
	ops     []*operation
	history []porcupine.Operation
	notes   []string
	err     error
}

// Result is what became of a world.
type Result struct {
	Seed  uint64
	Err   error // nil: nothing is wrong
	Notes []string
	Stats Stats

	history []porcupine.Operation
}

// Run runs the world of a seed; its databases lie in dir meanwhile. It is called within synctest.Test, and waits
// for all that it has started. Log is told what members log; nil: nobody is.
func Run(seed uint64, dir string, log func(format string, args ...any)) Result {
	w := newWorld(seed, dir, log)
	w.begin()
	w.disturb()
	w.calmDown()
	w.restartAll()
	w.check()
	w.end()
	w.stats.Seeds, w.stats.Messages = 1, w.net.said
	w.countOps()
	return Result{Seed: seed, Err: w.err, Notes: w.notes, Stats: w.stats, history: w.history}
}

func newWorld(seed uint64, dir string, log func(string, ...any)) *world {
	w := &world{seed: seed, dir: dir, dice: rand.New(rand.NewPCG(seed, 0)), log: log, began: time.Now()}
	w.shape = newShape(w.dice)
	return w
}

// begin starts the first members, and the clients.
func (w *world) begin() {
	first := new(raftpb.ConfState)
	w.net = newNetwork(w.seed)
	var initial []string
	for range w.shape.voters {
		s := w.newSeat()
		initial = append(initial, s.name+"="+s.url)
		first.Voters = append(first.Voters, s.firstID())
	}
	w.net.listen(first)
	for _, s := range w.seats {
		s.initial = strings.Join(initial, ",")
		s.start()
	}
	for i := range w.shape.clients {
		c := &client{w: w, number: i, dice: rand.New(rand.NewPCG(w.seed, 100+uint64(i)))}
		w.acting.Go(c.run)
	}
}

// note remembers what happened, for whoever looks at a failure.
func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := fmt.Sprintf("%8.3f ", time.Since(w.began).Seconds()) + fmt.Sprintf(format, args...)
	w.notes = append(w.notes, text)
	if w.log != nil {
		w.log("%s", text)
	}
}

// fail keeps what was found first.
func (w *world) fail(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	w.note("FOUND: %v", err)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
}

func (w *world) failed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err != nil
}

// logger returns the logger of a member, nil if nobody listens.
func (w *world) logger(name string) *slog.Logger {
	if w.log == nil {
		return nil
	}
	return slog.New(slog.NewTextHandler(logged(w.log), &slog.HandlerOptions{Level: slog.LevelDebug})).With("member", name)
}

type logged func(format string, args ...any)

// Write implements [io.Writer].
func (l logged) Write(b []byte) (int, error) {
	l("%s", strings.TrimSuffix(string(b), "\n"))
	return len(b), nil
}

// await waits until something holds, or for so long, and reports whether it does.
func (w *world) await(limit time.Duration, holds func() bool) bool {
	for end := time.Now().Add(limit); ; time.Sleep(50 * time.Millisecond) {
		if holds() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}

func (w *world) upTo(d time.Duration) time.Duration {
	return time.Duration(w.dice.Int64N(int64(d) + 1))
}

// powerCut is a crash as this world has them.
func (w *world) powerCut() faultfs.Crash {
	return faultfs.Crash{Unit: 512, InOrder: true, Keep: w.shape.keep, Rand: w.dice}
}
