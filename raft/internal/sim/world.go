package sim

import (
	"fmt"
	"math/rand/v2"
	"runtime/debug"
)

// Result is what became of a run.
type Result struct {
	Seed   uint64
	Err    error // what was found wrong, nil for nothing
	Events int   // that happened
	Stats  Stats
	Sum    uint64 // a hash of all that happened
}

// Stats counts what happened.
type Stats struct {
	Messages, Lost, Duplicated   int
	Elections, Commits, Crashes  int
	Snapshots, ConfChanges       int
	Operations, Unknown, Reads   int
	Transfers, Partitions, Stall int
	Orphaned, Deaf               int // runs that need not have recovered, see docs/raft.md
}

// Add adds other's counts.
func (s *Stats) Add(other *Stats) {
	s.Messages += other.Messages
	s.Lost += other.Lost
	s.Duplicated += other.Duplicated
	s.Elections += other.Elections
	s.Commits += other.Commits
	s.Crashes += other.Crashes
	s.Snapshots += other.Snapshots
	s.ConfChanges += other.ConfChanges
	s.Operations += other.Operations
	s.Unknown += other.Unknown
	s.Reads += other.Reads
	s.Transfers += other.Transfers
	s.Partitions += other.Partitions
	s.Stall += other.Stall
	s.Orphaned += other.Orphaned
	s.Deaf += other.Deaf
}

// world is a run.
type world struct {
	shape   shape
	rand    *rand.Rand
	now     int64
	queue   queue
	members []*member // that with ID i at i-1
	net     network
	truth   truth
	clients clients
	ladder  *Ladder
	wire    func(Sent)
	blind   bool
	calm    bool  // no more faults
	done    bool  // all is well again
	found   error // the first thing found wrong
	events  int
	stats   Stats
	sum     uint64
}

// maxEvents bounds a run that doesn't come to an end.
const maxEvents = 2_000_000

// Run runs the world of a seed. It draws what happens on the ladder, unless that is nil.
func Run(seed uint64, ladder *Ladder) Result { return RunSeen(seed, Options{Ladder: ladder}) }

// RunSeen is Run for those who look on. They change nothing.
func RunSeen(seed uint64, o Options) (res Result) {
	r := newRand(seed)
	w := &world{shape: newShape(r), rand: r, ladder: o.Ladder, wire: o.Wire, blind: o.Blind}
	res.Seed = seed
	defer func() {
		if p := recover(); p != nil {
			w.blind = false
			w.fail("panic: %v\n%s", p, debug.Stack())
		}
		res.Err, res.Events, res.Stats, res.Sum = w.found, w.events, w.stats, w.sum
	}()
	w.start()
	for w.found == nil && !w.done {
		e, ok := w.queue.pop()
		if !ok || w.events == maxEvents {
			w.blind = false
			w.fail("nothing more happens after %d events", w.events)
			break
		}
		w.events++
		w.now = e.at
		e.do()
	}
	if w.found == nil && !w.blind {
		w.checkHistory()
	}
	return res
}

func (w *world) start() {
	w.ladder.begin(w)
	w.net.world = w
	w.net.weather()
	for id := range uint64(w.shape.members) {
		w.members = append(w.members, newMember(w, id+1))
	}
	for _, m := range w.members {
		m.start()
	}
	w.startClients()
	w.at(w.now+w.faultGap(), w.fault)
	w.at(w.shape.ticks*tickTime, w.becomeCalm)
}

// at has something happen at a time.
func (w *world) at(time int64, do func()) { w.queue.push(time, do) }

// chance reports true with a probability in percent.
func (w *world) chance(percent int) bool { return w.rand.IntN(100) < percent }

// upTo returns a duration from 0 to limit.
func (w *world) upTo(limit int64) int64 { return w.rand.Int64N(limit + 1) }

// fail records what is wrong; the run then ends.
func (w *world) fail(format string, args ...any) {
	if w.found != nil || w.blind {
		return
	}
	w.found = fmt.Errorf(format, args...)
	w.ladder.note(w.now, 0, "WRONG: "+w.found.Error())
}

// mix takes something that happened into the hash of the run.
func (w *world) mix(values ...uint64) {
	for _, v := range values {
		w.sum = (w.sum ^ v) * 1099511628211
	}
}

func (w *world) member(id uint64) *member { return w.members[id-1] }

// anyMember returns a random member, rather one that is up.
func (w *world) anyMember() *member {
	m := w.members[w.rand.IntN(len(w.members))]
	for range 2 {
		if m.up {
			break
		}
		m = w.members[w.rand.IntN(len(w.members))]
	}
	return m
}

// leader returns the leader of the highest term, nil for none.
func (w *world) leader() *member {
	var best *member
	for _, m := range w.members {
		if m.leads() && (best == nil || m.seen.term > best.seen.term) {
			best = m
		}
	}
	return best
}
