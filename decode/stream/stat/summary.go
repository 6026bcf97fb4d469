package stat

import (
	"time"

	"github.com/raftctl/raftctl/raftpb"
)

// Summary is what messages tell.
type Summary struct {
	First, Last time.Time
	Events      int64
	Messages    int64
	Bytes       int64 // of all events
	Rate        Series
	Flows       []Flow // by type, then by member
	Latencies   []Latency
	Followers   []Follower
	Elections   []Election
	// ElectionsSeen counts all elections, of which Elections are the last ones.
	ElectionsSeen int64
	Snapshots     []Snapshot
	SnapshotsSeen int64
	Gaps          []GapReason
	// Dropped counts messages that could not be followed, for there were too many at once.
	Dropped int64
}

// Flow is what went from one member to another, of one type.
type Flow struct {
	From, To uint64
	Type     raftpb.MessageType
	Count    int64
	Bytes    int64
	Entries  int64
}

// Kind says what a latency is of.
type Kind string

// The kinds of latencies.
const (
	// KindAppend is from a MsgApp with entries until they are acknowledged.
	KindAppend Kind = "append"
	// KindHeartbeat is from a heartbeat to its answer.
	KindHeartbeat Kind = "heartbeat"
	// KindCommit is from when an entry is first sent until the leader tells that it is committed.
	KindCommit Kind = "commit"
	// KindProposal is from when a follower passes a proposal on until the leader tells that it is committed.
	KindProposal Kind = "proposal"
	// KindRead is from when a follower asks for a read index until it is told one.
	KindRead Kind = "read"
	// KindElection is from when votes are asked for until the new leader speaks.
	KindElection Kind = "election"
	// KindSnapshot is from when a snapshot is sent until it is acknowledged.
	KindSnapshot Kind = "snapshot"
)

// kinds are all kinds, in the order of a summary.
var kinds = []Kind{KindAppend, KindHeartbeat, KindCommit, KindProposal, KindRead, KindElection, KindSnapshot}

// Latency is how long something took.
type Latency struct {
	Kind Kind
	Histogram
}

// Follower is how a member kept up with its leaders.
type Follower struct {
	Member     uint64
	Append     Histogram
	Heartbeat  Histogram
	MaxBehind  uint64 // entries that were sent and not acknowledged, at most at once
	Rejections int64
	Probes     int64 // MsgApp that begin before the end of what had been sent: what is sent again
	Snapshots  int64
}

// Cause says why an election was held.
type Cause string

// The causes of elections.
const (
	CauseTimeout  Cause = "timeout"  // nothing was heard of the leader for too long
	CauseTransfer Cause = "transfer" // the leader handed over
)

// Outcome says how an election ended.
type Outcome string

// The outcomes of elections.
const (
	OutcomeWon      Outcome = "won"
	OutcomeLost     Outcome = "lost"     // another member leads in the same term or a later one, or campaigns
	OutcomePreVote  Outcome = "pre_vote" // it got no further than asking who would vote
	OutcomeNotKnown Outcome = "not_known"
)

// Election is what one member did to become leader in a term.
type Election struct {
	Term      uint64
	Candidate uint64
	Cause     Cause
	PreVote   bool // it asked first who would vote
	Outcome   Outcome
	Start     time.Time
	Duration  time.Duration // until the outcome was seen; 0 where it was not
	// Silence is for how long the last leader had not been heard by the candidate, 0 where that isn't known.
	Silence          time.Duration
	Granted, Refused int // votes, without the candidate's own
}

// Snapshot is one that was sent.
type Snapshot struct {
	Time     time.Time
	From, To uint64
	ID       raftpb.EntryID
	Bytes    int64         // on the wire, without the database behind it
	Took     time.Duration // until it was acknowledged; 0 where that was not seen
}

// GapReason is what is missing, and why.
type GapReason struct {
	Reason  string
	Count   int64
	Bytes   int64 // of those whose length is known
	Unknown int64 // those whose length isn't
}

// join adds what was gathered of the same member elsewhere.
func (f *Follower) join(o *Follower) {
	f.Append.join(&o.Append)
	f.Heartbeat.join(&o.Heartbeat)
	f.MaxBehind = max(f.MaxBehind, o.MaxBehind)
	f.Rejections += o.Rejections
	f.Probes += o.Probes
	f.Snapshots += o.Snapshots
}
