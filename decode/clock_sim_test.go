package decode

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// simulation is a Kubernetes cluster whose true time is known.
type simulation struct {
	rand    *rand.Rand
	nodes   []simClock
	members []simClock // each with an API server beside it, by the same clock
	length  time.Duration
	outage  [2]time.Duration // nothing runs in between
	writes  []simWrite
}

// simClock is a clock that is off by some time, and from a moment on by another.
type simClock struct {
	off, then time.Duration
	jumps     time.Duration
}

// read returns what the clock shows at a time from the beginning.
func (c simClock) read(now time.Duration) time.Time {
	off := c.off
	if now >= c.jumps {
		off = c.then
	}
	return at(0).Add(now + off)
}

// simWrite is a request that gets into the log at a time.
type simWrite struct {
	when  time.Duration
	id    uint64
	key   string
	value string
	fresh bool // the key must not be there
}

// right is a clock as it should be: within a second of the true time.
func (s *simulation) right() simClock {
	off := time.Duration(s.rand.Int64N(int64(1900*time.Millisecond))) - 950*time.Millisecond
	return simClock{off: off, then: off}
}

// wrong is a clock that isn't: ahead or behind by hours, or by little, or jumping.
func (s *simulation) wrong() simClock {
	c := s.right()
	far := []time.Duration{time.Hour, -time.Hour, 30 * 24 * time.Hour, 5 * time.Second, -5 * time.Second, 40 * time.Second, -2 * time.Minute}
	off := far[s.rand.IntN(len(far))]
	switch s.rand.IntN(3) {
	case 0:
		c.off, c.then = off, off
	case 1:
		c.then, c.jumps = off, time.Duration(s.rand.Int64N(int64(s.length)))
	default:
		c.off, c.jumps = off, time.Duration(s.rand.Int64N(int64(s.length)))
	}
	return c
}

// clocks returns so many clocks, of which some are wrong.
func (s *simulation) clocks(n, wrong int) []simClock {
	var list []simClock
	for i := range n {
		if i < wrong {
			list = append(list, s.wrong())
		} else {
			list = append(list, s.right())
		}
	}
	s.rand.Shuffle(n, func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// delay is how long a request is under way: mostly no time, seldom up to a limit.
func (s *simulation) delay(most time.Duration) time.Duration {
	if s.rand.IntN(50) == 0 {
		return time.Duration(s.rand.Int64N(int64(most)))
	}
	return time.Duration(s.rand.Int64N(int64(30 * time.Millisecond)))
}

// running reports whether the cluster runs.
func (s *simulation) running(now time.Duration) bool { return now < s.outage[0] || now >= s.outage[1] }

// every calls do about once in a period, while the cluster runs.
func (s *simulation) every(period time.Duration, do func(now time.Duration)) {
	for now := time.Duration(s.rand.Int64N(int64(period))); now < s.length; {
		if s.running(now) {
			do(now)
		}
		now += period - period/20 + time.Duration(s.rand.Int64N(int64(period/10)))
	}
}

// write adds a request through one of the members, made now.
func (s *simulation) write(now, most time.Duration, w simWrite) {
	m := s.rand.IntN(len(s.members))
	w.when = now + s.delay(most)
	w.id = s.id(m, w.when)
	s.writes = append(s.writes, w)
}

// id returns the ID of a request by a member, whose process was started before the log, or after the outage.
func (s *simulation) id(member int, now time.Duration) uint64 {
	started := -24 * time.Hour
	if now >= s.outage[1] {
		started = s.outage[1]
	}
	return processID(0xa000+uint16(member), s.members[member].read(started))
}

// run makes all writes, in the order in which they get into the log.
func (s *simulation) run() {
	for i, c := range s.nodes {
		name := fmt.Sprintf("node-%d", i)
		s.every(10*time.Second, func(now time.Duration) {
			s.write(now, 14*time.Second, simWrite{key: "/registry/leases/kube-node-lease/" + name,
				value: leaseValue("kube-node-lease", name, 40, c.read(now))})
		})
		s.every(time.Minute, func(now time.Duration) {
			late := time.Duration(s.rand.Int64N(int64(time.Hour)))
			s.write(now, time.Minute, simWrite{key: "/registry/events/" + name,
				value: eventValue(name, c.read(now), c.read(now-late))})
		})
		if i < 2 {
			s.every(2*time.Second, func(now time.Duration) {
				s.write(now, 19*time.Second, simWrite{key: "/registry/leases/kube-system/" + name,
					value: leaseValue("kube-system", name+"_1b2c", 15, c.read(now))})
			})
		}
	}
	for i, c := range s.members { // creations by the API server beside it
		s.every(7*time.Second, func(now time.Duration) {
			w := simWrite{when: now + s.delay(64*time.Second), key: fmt.Sprint("/registry/configmaps/", i, now),
				value: createdValue("c", c.read(now)), fresh: true}
			w.id = s.id(i, w.when)
			s.writes = append(s.writes, w)
		})
	}
	slices.SortStableFunc(s.writes, func(a, b simWrite) int { return int(a.when - b.when) })
	s.rewrite()
}

// rewrite lets somebody write leases again as they are, at any time.
func (s *simulation) rewrite() {
	last := map[string]simWrite{}
	var all []simWrite
	var keys []string
	for _, w := range s.writes {
		all = append(all, w)
		if w.fresh {
			continue
		}
		if _, ok := last[w.key]; !ok {
			keys = append(keys, w.key)
		}
		last[w.key] = w
		if s.rand.IntN(20) == 0 {
			old := last[keys[s.rand.IntN(len(keys))]]
			old.when = w.when
			all = append(all, old)
		}
	}
	s.writes = all
}

// times returns what the log tells.
func (s *simulation) times(t *testing.T) *Times {
	l := clockLog{tb: t}
	for _, w := range s.writes {
		rev := int64(7)
		if w.fresh {
			rev = 0
		}
		l.add(txnPut(t, w.id, w.key, w.value, rev))
	}
	return l.clock.Times()
}

// newSimulation makes a cluster of a seed: how many nodes, how many clocks of all are wrong, how long.
func newSimulation(seed uint64, nodes, members, wrong int) *simulation {
	s := &simulation{rand: rand.New(rand.NewPCG(seed, 0)), length: 20 * time.Minute}
	s.outage = [2]time.Duration{8 * time.Minute, 8*time.Minute + time.Duration(s.rand.Int64N(int64(time.Hour)))}
	s.length = s.outage[1] + 8*time.Minute
	ofMembers := s.rand.IntN(min(wrong, (members-1)/2) + 1)
	s.nodes, s.members = s.clocks(nodes, min(wrong-ofMembers, (nodes-1)/2)), s.clocks(members, ofMembers)
	s.run()
	return s
}

// holds reports whether a time lies within bounds.
func (b Bounds) holds(at time.Time) bool {
	return (b.NotBefore.IsZero() || !at.Before(b.NotBefore)) && (b.NotAfter.IsZero() || !at.After(b.NotAfter))
}

// The true time lies within the bounds as long as most clocks are right, however wrong the others are, and
// no bounds go back.
func TestClockHoldsTheTruth(t *testing.T) {
	for seed := range uint64(60) {
		nodes, members := 1+int(seed%9), 1+2*int(seed%3)
		s := newSimulation(seed, nodes, members, (nodes+members-1)/2)
		times := s.times(t)
		before := Bounds{}
		for i, w := range s.writes {
			b, truth := times.At(uint64(i)+1), at(0).Add(w.when)
			if !b.holds(truth) {
				t.Fatalf("seed %d: entry %d, %s: written at %v, not within %v; nodes %v, members %v",
					seed, i+1, w.key, truth, b, s.nodes, s.members)
			}
			if b.NotBefore.Before(before.NotBefore) || !b.NotAfter.IsZero() && b.NotAfter.Before(before.NotAfter) {
				t.Fatalf("seed %d: entry %d: bounds go back: %v, then %v", seed, i+1, before, b)
			}
			before = b
		}
		s.checkBefore(t, times)
		s.checkWidth(t, times)
	}
}

// checkBefore looks for moments: what is found is written by then, and what may be is not left out.
func (s *simulation) checkBefore(t *testing.T, times *Times) {
	t.Helper()
	for range 200 {
		when := time.Duration(s.rand.Int64N(int64(s.length+2*time.Hour))) - time.Hour
		truth := uint64(0)
		for i, w := range s.writes {
			if w.when <= when {
				truth = uint64(i) + 1
			}
		}
		m, ok := times.Before(at(0).Add(when))
		if m.Index > truth || m.Last < truth {
			t.Fatalf("%v: got entries %d..%d, want %d among them", when, m.Index, m.Last, truth)
		}
		if !ok {
			continue
		}
		if m.Index < truth && at(0).Add(s.writes[m.Index].when).Before(m.NotBefore) {
			t.Fatalf("%v: entry %d was written before %v", when, m.Index+1, m.NotBefore)
		}
		if width, _ := m.Width(); (width == 0) != (m.Index == m.Last) && !m.NotBefore.Equal(m.NotAfter) {
			t.Fatalf("%v: entries %d..%d are %v apart", when, m.Index, m.Last, width)
		}
	}
}

// checkWidth looks at how close the bounds are where the cluster runs: a lease's 10 s and the 15 s in which
// it is written, by the second best of the clocks.
func (s *simulation) checkWidth(t *testing.T, times *Times) {
	t.Helper()
	most := 45 * time.Second
	if len(s.nodes) < 5 {
		most = 90 * time.Second // API servers must bear it out
	}
	const margin = 2 * time.Minute
	for i, w := range s.writes {
		atEdge := w.when < margin || w.when > s.length-margin
		if atEdge || w.when > s.outage[0]-margin && w.when < s.outage[1]+margin {
			continue
		}
		b := times.At(uint64(i) + 1)
		if width, ok := b.Width(); !ok || width > most {
			t.Fatalf("%d nodes, %d members: entry %d at %v: %v, want a width of %v at most",
				len(s.nodes), len(s.members), i+1, w.when, b, most)
		}
	}
}
