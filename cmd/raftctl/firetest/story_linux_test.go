package firetest

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// story is one run: a cluster, clients of all kinds, and faults one after the other.
type story struct {
	t     *testing.T
	rng   *rand.Rand // of the faults
	began time.Time
	*cluster
	clients []*clientv3.Client // of all seats, the spare one's last
	clock   *clock
	jumps   map[*seat]time.Duration // of members' clocks
	long    bool                    // faults take longer

	ctx   context.Context // ends when clients are to
	stop  context.CancelFunc
	work  sync.WaitGroup
	kinds []*kind      // each is answered again after each fault
	slow  []*kind      // what they do takes long: they are answered in the end
	ended atomic.Int64 // requests for keys, with or without an answer
	found judged
}

// kind is a kind of client, of which several may run.
type kind struct {
	name  string
	acked atomic.Int64 // requests that were answered
}

// judged is what clients recorded.
type judged struct {
	mu      sync.Mutex
	ops     []operation
	lives   []life
	holds   []hold
	namings []naming
	hashes  []hashed
	streams []*watching
}

// requestTimeout is how long clients wait for an answer.
const requestTimeout = 2 * time.Second

// now is the time of all records.
func (s *story) now() int64 { return int64(time.Since(s.began)) }

// run lets so many clients of a kind ask again and again, until the story ends them. A client's step returns whether it was
// answered.
func (s *story) run(name string, n int, begin func(client int, rng *rand.Rand) (step func() bool)) {
	k := &kind{name: name}
	s.kinds = append(s.kinds, k)
	for i := range n {
		rng := rand.New(rand.NewPCG(s.rng.Uint64(), 0))
		step := begin(i, rng)
		s.work.Go(func() {
			for s.ctx.Err() == nil {
				if step() {
					k.acked.Add(1)
				}
			}
		})
	}
}

// timeout bounds a request. It ends after the story's clients have, so that what they began last has an answer, too.
func (s *story) timeout() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), requestTimeout)
}

// pause is between two requests of a client.
func (s *story) pause(rng *rand.Rand, most time.Duration) {
	select {
	case <-s.ctx.Done():
	case <-time.After(randomly(rng, most)):
	}
}

// await waits until something is so.
func (s *story) await(what string, is func() bool) {
	s.t.Helper()
	began := time.Now()
	defer func() {
		if took := time.Since(began); took > 5*time.Second {
			s.t.Logf("%6.1f s: waited %v: %s", time.Since(s.began).Seconds(), took.Round(time.Millisecond), what)
		}
	}()
	for end := began.Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("waited %v: %s", patience, what)
		}
	}
}

// outlast waits for the length of a fault, which is a part of it: some are shorter than an election or a lease takes, some longer.
func (s *story) outlast() {
	most := 3 * time.Second
	if s.long {
		most = 12 * time.Second
	}
	time.Sleep(randomly(s.rng, most))
}

// recover waits until all that is to run does, and every kind of client is answered again.
func (s *story) recover() {
	s.t.Helper()
	for i, m := range s.seats {
		s.await(m.name()+" answers", func() bool {
			ctx, cancel := s.timeout()
			defer cancel()
			if _, err := s.clients[i].Get(ctx, "x"); err == nil {
				return true
			}
			if ended, err := m.process().Ended(); ended {
				s.t.Fatalf("%s has ended: %v\n%s", m.name(), err, tail(m.process().Log()))
			}
			return false
		})
	}
	for _, k := range s.kinds {
		s.answers(k)
	}
}

// answers waits until clients of a kind are answered.
func (s *story) answers(k *kind) {
	s.t.Helper()
	until := k.acked.Load() + 1
	s.await(k.name+" is answered", func() bool { return k.acked.Load() >= until })
}

// tail returns the end of a log.
func tail(log string) string { return log[max(0, len(log)-8<<10):] }

// someone returns a seat.
func (s *story) someone() *seat { return s.seats[s.rng.IntN(len(s.seats))] }

// someoneBy is someone for clients, which have random numbers of their own.
func (s *story) someoneBy(rng *rand.Rand) *seat { return s.seats[rng.IntN(len(s.seats))] }

// restart starts what ran on a seat.
func (s *story) restart(m *seat, args ...string) {
	m.start(s.initial(), args...)
	if by := s.jumps[m]; by != 0 {
		must(s.t, s.clock.set(m.process().PID(), by))
	}
}

// play tells a story.
func play(t *testing.T, seed uint64, h shape, faults []fault, long bool) {
	s := &story{t: t, rng: rand.New(rand.NewPCG(seed, 0)), long: long, jumps: map[*seat]time.Duration{}}
	s.clock = newClock(t, program(t))
	s.began = time.Now()
	loops := make([]bool, h.size)
	for i := range loops {
		loops[i] = (i+int(seed))%2 == 0
	}
	s.cluster = newCluster(t, h, loops)
	s.clients = s.everyone()
	s.ctx, s.stop = context.WithCancel(t.Context())
	t.Cleanup(func() {
		s.stop()
		s.work.Wait()
		if t.Failed() {
			for _, m := range s.seats {
				t.Logf("%s:\n%s", m.name(), tail(m.process().Log()))
			}
		}
	})
	s.begin()
	s.recover()
	for _, f := range faults {
		before := s.now()
		f.run(s)
		s.net.heal()
		s.recover()
		t.Logf("%6.1f s: %s, %v", time.Duration(before).Seconds(), f.name, time.Duration(s.now()-before).Round(time.Millisecond))
	}
	for _, k := range s.slow {
		s.answers(k)
	}
	s.stop()
	s.work.Wait()
	s.finish()
	for _, k := range append(s.kinds, s.slow...) {
		t.Logf("%s: %d", k.name, k.acked.Load())
	}
}

// begin starts all clients.
func (s *story) begin() {
	for _, m := range s.seats {
		s.named(naming{verb: add, name: s.nameOf(m)}, false, true)
	}
	s.watch()
	s.run("kv", 4, s.kvClient)
	s.run("gateway", 1, s.gatewayClient)
	s.run("lease", 5, s.leaseClient)
	s.run("role", 2, s.roleClient)
	s.run("upkeep", 1, s.upkeepClient)
	quick := len(s.kinds)
	s.run("lock", 3, s.lockClient)
	s.run("election", 2, s.electionClient)
	s.run("operator", 1, s.operatorClient)
	s.slow = s.kinds[quick:]
	s.kinds = s.kinds[:quick]
}

// finish lets leases end, and watchers hear of all, and has the judges decide.
func (s *story) finish() {
	s.awaitNoLease()
	last := s.lastRevision()
	streams := s.awaitWatchers(last)
	all := newTruth(streams)
	verdict := func(judge string, err error) {
		if err != nil {
			s.t.Errorf("%s: %v", judge, err)
		}
	}
	verdict("watch", judgeStreams(streams))
	verdict("kv", judgeKV(s.found.ops, all))
	verdict("lease", judgeLeases(s.found.lives, all))
	verdict("held", judgeHolds(s.found.holds))
	verdict("names", judgeNames(s.found.namings))
	verdict("all members", s.judgeMembers(last, all))
	verdict("hashes", judgeHashes(s.found.hashes))
	s.t.Logf("%d changes, %d operations on keys, %d leases, %d holds, %d names, %d hashes", len(all.events), len(s.found.ops),
		len(s.found.lives), len(s.found.holds), len(s.found.namings), len(s.found.hashes))
}

// record keeps what a client saw.
func record[T any](s *story, list *[]T, what T) {
	s.found.mu.Lock()
	defer s.found.mu.Unlock()
	*list = append(*list, what)
}

// randomly returns a time below most.
func randomly(rng *rand.Rand, most time.Duration) time.Duration {
	return time.Duration(rng.Int64N(int64(most)))
}
