package sim

import (
	"math/rand/v2"
	"time"

	"github.com/raftctl/raftctl/node"
)

// shape is what a world is like, apart from what happens in it.
type shape struct {
	voters   int           // at the beginning
	spares   int           // that may be added
	lasts    time.Duration // how long there are faults
	calm     time.Duration // between two of them, on average
	faults   []fault
	clients  int
	think    time.Duration // between two requests of a client, at most
	patience time.Duration // of a client, at most
	syncs    time.Duration // how long a sync takes as a rule, at most
	segments int64
	keep     float64 // of what wasn't synced, after a crash
	long     bool    // enough for what members do every half minute: remove superfluous segments
	member   node.Config
}

func newShape(r *rand.Rand) shape {
	s := shape{
		voters:   [...]int{1, 3, 3, 3, 3, 3, 3, 5}[r.IntN(8)],
		spares:   r.IntN(3),
		lasts:    2*time.Second + time.Duration(r.Int64N(int64(14*time.Second))),
		calm:     [...]time.Duration{100, 300, 600, 1000, 2000}[r.IntN(5)] * time.Millisecond,
		clients:  1 + r.IntN(4),
		think:    [...]time.Duration{50, 200, 500}[r.IntN(3)] * time.Millisecond,
		patience: [...]time.Duration{300, 2000, 9000}[r.IntN(3)] * time.Millisecond,
		syncs:    [...]time.Duration{0, 1, 10, 60, 400}[r.IntN(5)] * time.Millisecond,
		segments: [...]int64{4 << 10, 16 << 10, 64 << 10}[r.IntN(3)],
		keep:     [...]float64{0, 0.5, 0.9, 1}[r.IntN(4)],
	}
	if s.long = r.IntN(8) == 0; s.long {
		s.lasts, s.calm, s.think, s.segments = s.lasts+35*time.Second, 6*time.Second, time.Second, 1<<10
	}
	s.faults = someFaults(r, s.spares > 0)
	s.member = node.Config{
		As:               [...]string{"", "3.5", "3.6", "3.7"}[r.IntN(4)],
		Tick:             100 * time.Millisecond,
		ElectionTimeout:  time.Duration(5+r.IntN(6)) * 100 * time.Millisecond,
		NoPreVote:        r.IntN(3) == 0,
		SnapshotCount:    [...]uint64{2, 5, 15, 40, 10_000}[r.IntN(5)],
		CatchUpEntries:   [...]uint64{1, 3, 10, 50}[r.IntN(4)],
		MaxSnapshots:     1 + r.IntN(3),
		MaxSegments:      1 + r.IntN(3),
		NoStrictReconfig: r.IntN(2) == 0,
		MaxLearners:      1 + r.IntN(2),
		BatchInterval:    [...]time.Duration{5, 100, 1000, 20_000}[r.IntN(4)] * time.Millisecond,
	}
	if s.long {
		s.member.MaxSegments, s.member.SnapshotCount = 1, min(s.member.SnapshotCount, 15)
	}
	return s
}

// fault is what can go wrong, or what an operator does.
type fault int

const (
	faultCrash fault = iota
	faultCrashMost
	faultCrashAt
	faultKill
	faultRestart
	faultPartition
	faultCutOneWay
	faultHeal
	faultWeather
	faultSlowDisk
	faultBadDisk
	faultTransfer
	faultMembers
	faults
)

func (f fault) String() string {
	return [...]string{"crash", "crash of most", "crash in an operation", "kill", "restart", "partition", "one way cut",
		"heal", "weather", "slow disk", "bad disk", "transfer", "members"}[f]
}

// someFaults returns kinds of faults, some more often than others. No world has all of them: what takes many of
// one kind to come about would drown in the others.
func someFaults(r *rand.Rand, members bool) []fault {
	kinds := []fault{faultCrash, faultCrashAt, faultPartition, faultHeal}
	for range 12 {
		kinds = append(kinds, fault(r.IntN(int(faultMembers))))
	}
	if members {
		for range 2 + r.IntN(10) {
			kinds = append(kinds, faultMembers)
		}
	}
	return kinds
}
