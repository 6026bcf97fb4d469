package sim

import (
	"math/rand/v2"

	"github.com/raftctl/raftctl/raftpb"
)

// Sent is a message that leaves its sender, whether it arrives or not. It is valid during the call that it is
// handed to.
type Sent struct {
	Time    int64  // virtual, TickTime to a tick
	From    uint64 // who sends it; proposals that are passed on keep the From of who made them
	Life    int    // counts the starts of the sender
	Message *raftpb.Message
}

// TickTime is how long a tick of a right clock is, in Sent.Time.
const TickTime = tickTime

// Options say who looks on at a run.
type Options struct {
	Ladder *Ladder    // draws it, unless nil
	Wire   func(Sent) // is told of every message, unless nil
	// Blind has the run go on whatever is found wrong, for who is to find it by the messages.
	Blind bool
}

// Group is the group that a seed's world begins with.
type Group struct {
	Voters     int  // members 1 and on
	LeaseReads bool // leaders answer reads without asking a quorum
	Changes    bool // of the membership come about, in all ways there are
}

// GroupOf returns the group of a seed.
func GroupOf(seed uint64) Group {
	s := newShape(newRand(seed))
	return Group{Voters: s.voters, LeaseReads: s.lease, Changes: s.membership}
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x5eed)) }

// tell tells who looks on of a message.
func (w *world) tell(from *member, msg *raftpb.Message) {
	if w.wire != nil {
		w.wire(Sent{Time: w.now, From: from.id, Life: from.life, Message: msg})
	}
}
