package raft

import (
	"github.com/raftctl/raftctl/raft/tracker"
	"github.com/raftctl/raftctl/raftpb"
)

// Events of a member's life: role, term, membership.
type (
	// Started is the end of a member's creation.
	Started struct {
		Voters    []uint64 // of both halves, ascending
		HardState raftpb.HardState
		Applied   uint64
		Last      raftpb.EntryID // the last entry of the log
	}
	// StateChanged is a role taken, not necessarily another one than before.
	StateChanged struct {
		State StateType
		Term  uint64
	}
	// ConfigSwitched is a membership that took effect.
	ConfigSwitched struct{ Config tracker.Config }
	// ConfChangeIgnored is a proposed membership change that was replaced by an empty entry.
	ConfChangeIgnored struct {
		Change  raftpb.ConfChangeV2
		Config  tracker.Config
		Reason  ConfChangeReason
		Pending uint64 // index of the last change that may not be applied yet
		Applied uint64
	}
	// AutoLeaving is an attempt to leave the joint configuration; Err tells why it wasn't made.
	AutoLeaving struct {
		Config tracker.Config
		Err    error
	}
	// LeaderForgotten is a follower that was told to forget its leader.
	LeaderForgotten struct{ Lead, Term uint64 }
	// ForgetLeaderIgnored is such a request to a member that counts on the leader's lease.
	ForgetLeaderIgnored struct{}
	// QuorumLost is a leader about to step down because no quorum answered.
	QuorumLost struct{}
)

// Events of messages that were not heeded.
type (
	// MessageRefused is a message that can't be; see RefusedError.
	MessageRefused struct{ Err *RefusedError }
	// HigherTermSeen is a message from a later term, which becomes this member's.
	HigherTermSeen struct {
		Type            raftpb.MessageType
		From            uint64
		Term, TheirTerm uint64
	}
	// LowerTermIgnored is a message from an earlier term that was ignored.
	LowerTermIgnored struct {
		Type            raftpb.MessageType
		From            uint64
		Term, TheirTerm uint64
	}
	// LowerTermAppendIgnored is a storage reply from an earlier term whose entries may have been
	// replaced since, and so are not taken as stable.
	LowerTermAppendIgnored struct{ Term, TheirTerm uint64 }
	// NoProgress is a message to a leader from someone who is no member.
	NoProgress struct{ From uint64 }
	// ProposalDropped is a proposal that was not taken.
	ProposalDropped struct {
		Reason DropReason
		Term   uint64
		Lead   uint64 // the leader, where there is one
		To     uint64 // who is to become leader, for DropTransferring
	}
	// ReadIndexDropped is a read request that got lost for lack of a leader.
	ReadIndexDropped struct {
		State StateType // follower or candidate
		Term  uint64
	}
	// ReadIndexRespInvalid is an answer to a read with a number of entries other than one.
	ReadIndexRespInvalid struct {
		From    uint64
		Entries int
	}
)

// Events of elections.
type (
	// CampaignRefused is an election that was not begun.
	CampaignRefused struct {
		Reason CampaignReason
		Term   uint64
	}
	// ElectionStarted is a campaign about to begin; Term is still the old one.
	ElectionStarted struct{ Term uint64 }
	// VoteRequested is a request for a vote, MsgVote or MsgPreVote, to one member.
	VoteRequested struct {
		Type raftpb.MessageType
		To   uint64
		Last raftpb.EntryID // the candidate's last entry
		Term uint64         // the candidate's term, which MsgPreVote doesn't change
	}
	// VoteReceived is an answer to it, MsgVoteResp or MsgPreVoteResp.
	VoteReceived struct {
		Type    raftpb.MessageType
		From    uint64
		Granted bool
		Term    uint64
	}
	// VotesCounted follows each VoteReceived.
	VotesCounted struct {
		Type              raftpb.MessageType
		Granted, Rejected int
	}
	// VoteAnswered is what became of another member's request.
	VoteAnswered struct {
		Type      raftpb.MessageType // MsgVote or MsgPreVote
		From      uint64
		Candidate raftpb.EntryID // the candidate's last entry
		Last      raftpb.EntryID // this member's
		Vote      uint64         // this member's vote before
		Term      uint64         // this member's
		Answer    VoteAnswer
		Lease     int // ticks until the leader's lease ends, for VoteIgnored
	}
)

// Events of replication, at the leader.
type (
	// RejectionReceived is a member's refusal of entries after Index, with a hint where its log may
	// match.
	RejectionReceived struct {
		From  uint64
		Index uint64
		Hint  raftpb.EntryID // Term 0 if unknown
	}
	// ProgressDecreased is the step back that follows.
	ProgressDecreased struct {
		Peer     uint64
		Progress tracker.Progress
	}
	// PeerUnreachable is a member that the application could not reach.
	PeerUnreachable struct {
		Peer     uint64
		Progress tracker.Progress
	}
	// SnapshotSent is a snapshot on its way to a member whose next entry is compacted away.
	// Progress is that before, which ReplicationPaused then gives as it is after.
	SnapshotSent struct {
		Peer          uint64
		First, Commit uint64 // the leader's first and commit index
		Snapshot      raftpb.EntryID
		Progress      tracker.Progress
	}
	// ReplicationPaused is a member that gets nothing until the snapshot's fate is known.
	ReplicationPaused struct {
		Peer     uint64
		Progress tracker.Progress
	}
	// ReplicationResumed is a member whose log reaches the leader's again.
	ReplicationResumed struct {
		Peer     uint64
		Progress tracker.Progress
	}
	// SnapshotNotSent is a snapshot that a member needs and did not get.
	SnapshotNotSent struct {
		Peer   uint64
		Reason SnapshotReason
	}
	// SnapshotReported is the application's word on a snapshot that was sent.
	SnapshotReported struct {
		Peer     uint64
		Failed   bool
		Progress tracker.Progress
	}
)

// Events of the log, at anyone.
type (
	// AppendRejected is an append whose preceding entry this log doesn't have.
	AppendRejected struct {
		From uint64
		Prev raftpb.EntryID // what the leader has
		Term uint64         // what this log has at that index, 0 for nothing
	}
	// ConflictFound is an entry that the leader has another one in place of.
	ConflictFound struct {
		Index         uint64
		Term, Replace uint64 // the present term, and the one to come
	}
	// UnstableReplaced is a log cut back below what is not yet stable.
	UnstableReplaced struct{ Index uint64 }
	// UnstableTruncated is a log cut back within what is not yet stable.
	UnstableTruncated struct{ Index uint64 }
	// StableIgnored is a storage reply about an entry that is gone or replaced.
	StableIgnored struct {
		Entry  raftpb.EntryID
		Reason StableReason
		Term   uint64 // of what is there now
	}
	// SnapshotRestoring is a snapshot about to replace the log.
	SnapshotRestoring struct {
		Log      LogStatus
		Snapshot raftpb.EntryID
	}
	// SnapshotRestored is one that did.
	SnapshotRestored struct {
		Commit   uint64
		Last     raftpb.EntryID
		Snapshot raftpb.EntryID
	}
	// SnapshotFastForwarded is one that showed that entries here are committed.
	SnapshotFastForwarded struct {
		Commit   uint64 // before
		Last     raftpb.EntryID
		Snapshot raftpb.EntryID
	}
	// SnapshotIgnored is one that did not replace the log.
	SnapshotIgnored struct {
		Commit    uint64
		Snapshot  raftpb.EntryID
		ConfState raftpb.ConfState
		Reason    IgnoreReason
	}
)

// Events of leader transfer.
type (
	// TransferStarted is a transfer of leadership begun.
	TransferStarted struct{ Term, To uint64 }
	// TransferAborted is one given up for another.
	TransferAborted struct{ Term, To uint64 }
	// TransferIgnored is one that was asked for in vain.
	TransferIgnored struct {
		Reason TransferReason
		Term   uint64
		To     uint64
	}
	// TimeoutNowSent is the word to campaign at once; Immediate if no entry had to be sent first.
	TimeoutNowSent struct {
		To        uint64
		Immediate bool
	}
	// TimeoutNowReceived is that word heard; only a follower heeds it.
	TimeoutNowReceived struct {
		From  uint64
		Term  uint64
		State StateType
	}
)

func (Started) event()                {}
func (StateChanged) event()           {}
func (ConfigSwitched) event()         {}
func (ConfChangeIgnored) event()      {}
func (AutoLeaving) event()            {}
func (LeaderForgotten) event()        {}
func (ForgetLeaderIgnored) event()    {}
func (QuorumLost) event()             {}
func (MessageRefused) event()         {}
func (HigherTermSeen) event()         {}
func (LowerTermIgnored) event()       {}
func (LowerTermAppendIgnored) event() {}
func (NoProgress) event()             {}
func (ProposalDropped) event()        {}
func (ReadIndexDropped) event()       {}
func (ReadIndexRespInvalid) event()   {}
func (CampaignRefused) event()        {}
func (ElectionStarted) event()        {}
func (VoteRequested) event()          {}
func (VoteReceived) event()           {}
func (VotesCounted) event()           {}
func (VoteAnswered) event()           {}
func (RejectionReceived) event()      {}
func (ProgressDecreased) event()      {}
func (PeerUnreachable) event()        {}
func (SnapshotSent) event()           {}
func (ReplicationPaused) event()      {}
func (ReplicationResumed) event()     {}
func (SnapshotNotSent) event()        {}
func (SnapshotReported) event()       {}
func (AppendRejected) event()         {}
func (ConflictFound) event()          {}
func (UnstableReplaced) event()       {}
func (UnstableTruncated) event()      {}
func (StableIgnored) event()          {}
func (SnapshotRestoring) event()      {}
func (SnapshotRestored) event()       {}
func (SnapshotFastForwarded) event()  {}
func (SnapshotIgnored) event()        {}
func (TransferStarted) event()        {}
func (TransferAborted) event()        {}
func (TransferIgnored) event()        {}
func (TimeoutNowSent) event()         {}
func (TimeoutNowReceived) event()     {}
