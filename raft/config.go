package raft

import (
	"math"

	"github.com/raftctl/raftctl/raftpb"
)

// IDs that no member can have.
const (
	None              = raftpb.None              // nobody
	LocalAppendThread = raftpb.LocalAppendThread // whoever writes the member's log
	LocalApplyThread  = raftpb.LocalApplyThread  // whoever applies to the member's state machine
)

// NoLimit as a size is no limit.
const NoLimit = math.MaxUint64

// ReadOnlyOption is how a linearizable read is made sure of.
type ReadOnlyOption int

// The ways to make sure of a linearizable read.
const (
	// ReadOnlySafe asks a quorum whether the leader still is one, for every batch of reads.
	ReadOnlySafe ReadOnlyOption = iota
	// ReadOnlyLeaseBased trusts that no other leader was elected within an election timeout since a
	// quorum was last heard of. Wrong if a clock runs too slow. Needs CheckQuorum.
	ReadOnlyLeaseBased
)

// Rand is a source of randomness; *math/rand/v2.Rand is one.
type Rand interface {
	// IntN returns a number in [0, n).
	IntN(n int) int
}

// Config is what a member is started with. ID, ElectionTick, HeartbeatTick, Storage,
// MaxInflightMsgs and Rand have no default.
type Config struct {
	// ID is the member's own ID: not None, and not that of a storage thread.
	ID uint64
	// ElectionTick is the number of ticks without word of a leader after which a member may
	// campaign; it does so within twice that, at random. Greater than HeartbeatTick; ten times is
	// usual.
	ElectionTick int
	// HeartbeatTick is the number of ticks between the heartbeats of a leader.
	HeartbeatTick int
	// Storage is where the application keeps the log.
	Storage Storage
	// Applied is the last index that the application has applied, on a restart. Only entries after
	// it are handed out. 0 means all that Storage has.
	Applied uint64
	// AsyncStorageWrites has writes to the log and to the state machine asked for by messages
	// (MsgStorageAppend, MsgStorageApply) that carry the answers to deliver when done, instead of
	// by Ready and Advance. See the package documentation.
	AsyncStorageWrites bool
	// MaxSizePerMsg bounds the encoded entries in one append message, in bytes: 0 for one entry a
	// message, NoLimit for any number.
	MaxSizePerMsg uint64
	// MaxCommittedSizePerReady bounds the encoded committed entries, in bytes, that were handed out
	// and are not yet applied, over all Readys. 0 for MaxSizePerMsg.
	MaxCommittedSizePerReady uint64
	// MaxUncommittedEntriesSize bounds the payloads, in bytes, that a leader takes before they are
	// committed; beyond, proposals are dropped. 0 for no limit.
	MaxUncommittedEntriesSize uint64
	// MaxInflightMsgs bounds the append messages on their way to one member.
	MaxInflightMsgs int
	// MaxInflightBytes bounds their payloads, in bytes; the message that crosses the bound still
	// goes. 0 for no limit, else at least MaxSizePerMsg.
	MaxInflightBytes uint64
	// CheckQuorum has a leader step down when no quorum answered for ElectionTick ticks, and others
	// ignore candidates for as long after they heard of a leader.
	CheckQuorum bool
	// PreVote has a member ask whether it could win before it disturbs the term (dissertation,
	// 9.6).
	PreVote bool
	// ReadOnlyOption is how linearizable reads are made sure of.
	ReadOnlyOption ReadOnlyOption
	// DisableProposalForwarding has followers drop proposals instead of passing them to the leader.
	DisableProposalForwarding bool
	// DisableConfChangeValidation has a leader take conf changes that, as far as it knows now, will
	// be refused when applied.
	DisableConfChangeValidation bool
	// StepDownOnRemoval has a leader become follower when a change that removes or demotes it is
	// applied. Without, it goes on replicating until it is replaced.
	StepDownOnRemoval bool
	// Rand spreads the election timeouts.
	Rand Rand
	// Observer, if not nil, is told what happens inside.
	Observer Observer
}

// validate returns a *ConfigError for the first field that can't be.
func (c *Config) validate() error {
	switch {
	case c.ID == None:
		return configError("ID", "must not be 0")
	case raftpb.IsLocalMsgTarget(c.ID):
		return configError("ID", "must not be that of a storage thread")
	case c.HeartbeatTick <= 0:
		return configError("HeartbeatTick", "is %d, must be positive", c.HeartbeatTick)
	case c.ElectionTick <= c.HeartbeatTick:
		return configError("ElectionTick", "is %d, must exceed HeartbeatTick, %d",
			c.ElectionTick, c.HeartbeatTick)
	case c.Storage == nil:
		return configError("Storage", "must be set")
	case c.Rand == nil:
		return configError("Rand", "must be set")
	case c.MaxInflightMsgs <= 0:
		return configError("MaxInflightMsgs", "is %d, must be positive", c.MaxInflightMsgs)
	case c.MaxInflightBytes != 0 && c.MaxInflightBytes < c.MaxSizePerMsg:
		return configError("MaxInflightBytes", "is %d, must be 0 or at least MaxSizePerMsg, %d",
			c.MaxInflightBytes, c.MaxSizePerMsg)
	}
	return c.validateReads()
}

func (c *Config) validateReads() error {
	switch {
	case c.ReadOnlyOption != ReadOnlySafe && c.ReadOnlyOption != ReadOnlyLeaseBased:
		return configError("ReadOnlyOption", "is %d, which is unknown", c.ReadOnlyOption)
	case c.ReadOnlyOption == ReadOnlyLeaseBased && !c.CheckQuorum:
		return configError("CheckQuorum", "must be set for ReadOnlyLeaseBased")
	}
	return nil
}

// maxApplying returns the bound on committed entries handed out, in bytes. With a bound of 0
// nothing could ever be handed out, so that means one entry at a time, like MaxSizePerMsg.
func (c *Config) maxApplying() uint64 {
	if c.MaxCommittedSizePerReady != 0 {
		return c.MaxCommittedSizePerReady
	}
	return max(c.MaxSizePerMsg, 1)
}

// orNoLimit returns the limit that a field stands for whose 0 means none.
func orNoLimit(limit uint64) uint64 {
	if limit == 0 {
		return NoLimit
	}
	return limit
}
