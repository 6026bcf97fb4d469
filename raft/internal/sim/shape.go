package sim

import "math/rand/v2"

// tickTime is how long a tick of a right clock is, in units of virtual time. All other durations
// are in these units too.
const tickTime = 100

// maxMembers is the number of members that a world can have.
const maxMembers = 7

// shape is what a world is like, apart from what happens in it.
type shape struct {
	members int   // members there are; the first voters of them are the group at the start
	voters  int   //
	ticks   int64 // how long the faults last, in ticks

	async        int // percent of the members in the asynchronous mode: 0, 50 or 100
	electionTick int
	hbTick       int
	preVote      bool
	checkQuorum  bool
	lease        bool
	noForward    bool
	stepDown     bool
	maxMsg       uint64
	maxInflight  int
	maxOpen      uint64 // MaxUncommittedEntriesSize
	maxCommitted uint64

	skew        int64 // percent by which clocks differ at most
	codec       bool  // messages are encoded and decoded on the way
	stepWriting bool  // the loop takes messages while it writes
	earlySend   bool  // leaders send before they write
	diskState   bool  // state machines are on disk
	snapEvery   uint64
	padding     int // bytes that entries are padded with, at most
	writeTime   int64
	membership  bool
	calm        int64 // ticks between faults, on average
	faults      []faultKind
	maxDelay    int64 // how long a message is on its way, at most
	clients     int
}

func newShape(r *rand.Rand) shape {
	s := shape{
		voters:       1 + r.IntN(5),
		ticks:        100 + int64(r.IntN(300)),
		async:        50 * r.IntN(3),
		electionTick: 4 + r.IntN(7),
		preVote:      r.IntN(2) == 0,
		checkQuorum:  r.IntN(2) == 0,
		noForward:    r.IntN(5) == 0,
		stepDown:     r.IntN(2) == 0,
		maxInflight:  1 + r.IntN(12),
		skew:         int64(r.IntN(3) * 15),
		codec:        r.IntN(6) == 0,
		stepWriting:  r.IntN(2) == 0,
		earlySend:    r.IntN(2) == 0,
		diskState:    r.IntN(2) == 0,
		snapEvery:    uint64(5 + r.IntN(60)),
		padding:      r.IntN(2) * r.IntN(100),
		membership:   r.IntN(3) != 0,
		calm:         3 + int64(r.IntN(15)),
		clients:      1 + r.IntN(4),
	}
	if s.voters < 3 && r.IntN(3) != 0 {
		s.voters = 3
	}
	s.members = s.voters
	if s.membership {
		s.members = min(maxMembers, s.voters+1+r.IntN(3))
	}
	s.hbTick = 1 + r.IntN(max(1, s.electionTick/3))
	s.lease = s.checkQuorum && r.IntN(3) == 0
	s.maxMsg = [...]uint64{0, 64, 300, 1 << 20}[r.IntN(4)]
	s.maxCommitted = [...]uint64{0, 100, 1 << 20, 1 << 20}[r.IntN(4)]
	s.maxOpen = [...]uint64{0, 0, 200, 2000}[r.IntN(4)]
	s.writeTime = [...]int64{0, 5, 40, 150}[r.IntN(4)]
	s.faults = someFaults(r, s.membership)
	s.maxDelay = 20 * tickTime
	if s.lease {
		s.maxDelay = 4 * tickTime
	}
	return s
}

// slowestTick is the longest that a tick can be.
func (s *shape) slowestTick() int64 { return tickTime * (100 + s.skew) / 100 }

// faultKind is what can go wrong, or what an operator does.
type faultKind int

const (
	faultCrash faultKind = iota
	faultCrashMost
	faultPartition
	faultRejoin
	faultWeather
	faultStall
	faultClock
	faultTransfer
	faultNudge
	faultBurst
	faultMembership
	faultKinds
)

// someFaults returns kinds of faults, some more often than others. No world has all of them: what
// takes many of one kind to come about would drown in the others.
func someFaults(r *rand.Rand, membership bool) []faultKind {
	kinds := []faultKind{faultPartition, faultRejoin, faultCrash}
	for range 12 {
		kinds = append(kinds, faultKind(r.IntN(int(faultKinds))))
	}
	if membership {
		for range 1 + r.IntN(5) {
			kinds = append(kinds, faultMembership)
		}
	}
	return kinds
}

// staleness is by how much a read by lease may be behind. A leader that was left by a quorum
// notices at the second check of it after their last answers, which may have been on their way, and
// in the queues of both, for as long as a message and a few writes take.
func (s *shape) staleness() int64 {
	if !s.lease {
		return 0
	}
	return 2*int64(s.electionTick+1)*s.slowestTick() + s.maxDelay + 8*s.writeTime
}
