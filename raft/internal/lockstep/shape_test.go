package lockstep

import (
	"math/bits"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
)

// shape is what a header says of a world.
type shape struct {
	members    int // IDs 1 to members exist, whether they belong to the group or not
	start      startMode
	conf       raftpb.ConfState // the membership at the start
	startIndex uint64           // the index of the snapshot to start from

	config raft.Config // what all members have, but for flags if mixed
	flags  byte
	mixed  bool // members differ in their flags

	salt         byte // spreads election timeouts
	eager        byte // of four steps, how many are followed by doing the work that there is
	rejects      bool // the applications reject some membership changes
	losesCommit  bool // a crash loses what was not said to need a sync
	observed     bool // ours has an Observer, which must not make a difference
	slow         bool // disks are slow: work is done in part only
	freshSnaps   bool // transports send the application's latest state in place of raft's snapshot
	weightsTable [256]byte
}

// startMode is how a group begins.
type startMode byte

const (
	fromSnapshot  startMode = iota // at an index above 0
	fromConfState                  // from a snapshot at index 0 that only tells the membership
	fromBootstrap
	fromJoint // fromSnapshot, in a joint configuration
	startModes
)

// The flags of a Config, as bits of a header byte.
const (
	flagPreVote = 1 << iota
	flagCheckQuorum
	flagLeaseReads
	flagNoForwarding
	flagNoValidation
	flagStepDown
	flagAsync
	flagMixed
)

var sizeLimits = [...]uint64{raft.NoLimit, 0, 20, 60, 200, 1000, raft.NoLimit, 100}

var inflightLimits = [...]int{256, 1, 2, 3, 5, 16, 256, 4}

func newShape(h [headerSize]byte, alone bool) *shape {
	s := &shape{
		members:     1 + int(h[0])%7,
		start:       startMode(h[3]) % startModes,
		flags:       h[6],
		mixed:       h[6]&flagMixed != 0,
		salt:        h[13],
		eager:       h[14] & 3,
		rejects:     h[14]&4 != 0,
		losesCommit: h[14]&8 != 0,
		freshSnaps:  h[14]&16 != 0,
		slow:        h[14]&32 != 0,
		observed:    h[14]&64 != 0,
		startIndex:  2 + uint64(h[15]%16),
	}
	s.membership(h)
	s.limits(h)
	s.weights(h[shapeSize:], alone)
	return s
}

// membership draws the membership to start with. At least one voter, and no learner that votes.
func (s *shape) membership(h [headerSize]byte) {
	all := byte(1)<<s.members - 1
	voters := h[1] & all
	if voters == 0 {
		voters = 1
	}
	outgoing, next := byte(0), byte(0)
	if s.start == fromJoint {
		outgoing = h[4] & all
		next = outgoing & h[5] &^ voters
		s.conf.AutoLeave = outgoing != 0 && h[5]&128 != 0
	}
	learners := h[2] & all &^ (voters | outgoing)
	if s.start == fromBootstrap {
		learners = 0
	}
	s.conf.Voters, s.conf.Learners = ids(voters), ids(learners)
	s.conf.VotersOutgoing, s.conf.LearnersNext = ids(outgoing), ids(next)
}

// ids returns the IDs whose bits are set, bit 0 being that of ID 1.
func ids(mask byte) []uint64 {
	var list []uint64
	for ; mask != 0; mask &= mask - 1 {
		list = append(list, uint64(bits.TrailingZeros8(mask))+1)
	}
	return list
}

func (s *shape) limits(h [headerSize]byte) {
	c := &s.config
	c.HeartbeatTick = 1 + int(h[7]>>6)
	c.ElectionTick = c.HeartbeatTick + 1 + int(h[7]&7)
	c.MaxSizePerMsg = sizeLimits[h[8]%8]
	c.MaxCommittedSizePerReady = sizeLimits[h[9]%8]
	if c.MaxCommittedSizePerReady == 0 && c.MaxSizePerMsg == 0 {
		c.MaxCommittedSizePerReady = 1 // the reference panics over 0, ours takes it for 1
	}
	c.MaxUncommittedEntriesSize = sizeLimits[h[10]%8]
	c.MaxInflightMsgs = inflightLimits[h[11]%8]
	if bytes := sizeLimits[h[12]%8]; bytes != 0 {
		c.MaxInflightBytes = max(bytes, c.MaxSizePerMsg)
	}
}

// paged reports whether the encoded size of entries decides what is sent or applied together.
func (s *shape) paged() bool {
	committed := s.config.MaxCommittedSizePerReady
	return s.config.MaxSizePerMsg != raft.NoLimit || committed != raft.NoLimit && committed != 0
}

// unsafe reports whether several membership changes may be under way at once, so that two leaders
// may not know of each other, and members may commit different entries. Both sides must do so
// alike.
func (s *shape) unsafe() bool { return s.flags&flagNoValidation != 0 }

// setFlags sets the options of a member.
func (s *shape) setFlags(c *raft.Config) {
	flags := s.flags
	if s.mixed {
		flags ^= byte(c.ID*37) & (flagPreVote | flagCheckQuorum | flagNoForwarding | flagStepDown)
	}
	c.PreVote = flags&flagPreVote != 0
	c.CheckQuorum = flags&flagCheckQuorum != 0
	if c.CheckQuorum && flags&flagLeaseReads != 0 {
		c.ReadOnlyOption = raft.ReadOnlyLeaseBased
	}
	c.DisableProposalForwarding = flags&flagNoForwarding != 0
	c.DisableConfChangeValidation = flags&flagNoValidation != 0
	c.StepDownOnRemoval = flags&flagStepDown != 0
	c.AsyncStorageWrites = flags&flagAsync != 0
}

// weights lays out which byte means which operation. A header that makes some of them rare or
// absent, and others common, finds more than one that always treats all alike.
func (s *shape) weights(h []byte, alone bool) {
	factors := [...]int{4, 2, 6, 0, 4, 3, 1, 12}
	var slots []byte
	for i, op := range operations {
		if op.name == "forge" && !alone {
			continue
		}
		for range op.weight * factors[h[i]%8] {
			slots = append(slots, byte(i))
		}
	}
	if len(slots) == 0 {
		slots = append(slots, 0)
	}
	for i := range s.weightsTable {
		s.weightsTable[i] = slots[i*len(slots)/len(s.weightsTable)]
	}
}

// timeout returns the election timeout of a member in a term, in ticks beyond Config.ElectionTick.
// Ours draws it from this, the reference gets it set.
func (s *shape) timeout(id, term uint64, n int) int {
	x := (id*31+term)*0x9e3779b97f4a7c15 + uint64(s.salt)*0xbf58476d1ce4e5b9
	x ^= x >> 29
	return int(x * 0x94d049bb133111eb >> 33 % uint64(n))
}
