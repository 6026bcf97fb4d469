package raftpb

import "math"

// MessageType tells what a message asks for or answers.
type MessageType int32

// The message types of raft.proto. "Local" ones never travel between members.
const (
	MsgHup               MessageType = 0  // local: start an election
	MsgBeat              MessageType = 1  // local: send heartbeats
	MsgProp              MessageType = 2  // append these entries
	MsgApp               MessageType = 3  // entries from the leader
	MsgAppResp           MessageType = 4  // how far the follower's log matches
	MsgVote              MessageType = 5  // vote for me
	MsgVoteResp          MessageType = 6  // the vote
	MsgSnap              MessageType = 7  // a snapshot from the leader
	MsgHeartbeat         MessageType = 8  // the leader lives
	MsgHeartbeatResp     MessageType = 9  // so does the follower
	MsgUnreachable       MessageType = 10 // local: a message could not be delivered
	MsgSnapStatus        MessageType = 11 // local: how sending a snapshot ended
	MsgCheckQuorum       MessageType = 12 // local: does a quorum still answer?
	MsgTransferLeader    MessageType = 13 // hand leadership to From
	MsgTimeoutNow        MessageType = 14 // campaign at once
	MsgReadIndex         MessageType = 15 // which index must a linearizable read wait for?
	MsgReadIndexResp     MessageType = 16 // that index
	MsgPreVote           MessageType = 17 // would you vote for me?
	MsgPreVoteResp       MessageType = 18 // the answer
	MsgStorageAppend     MessageType = 19 // local: persist this
	MsgStorageAppendResp MessageType = 20 // local: persisted
	MsgStorageApply      MessageType = 21 // local: apply these entries
	MsgStorageApplyResp  MessageType = 22 // local: applied
	MsgForgetLeader      MessageType = 23 // forget the leader, keep the term
)

// IDs that no member can have.
const (
	None              uint64 = 0                  // nobody
	LocalAppendThread uint64 = math.MaxUint64     // the member's own log storage
	LocalApplyThread  uint64 = math.MaxUint64 - 1 // the member's own state machine
)

// IsLocalMsgTarget reports whether id names one of the member's own storage threads.
func IsLocalMsgTarget(id uint64) bool { return id == LocalAppendThread || id == LocalApplyThread }

// IsLocalMsg reports whether messages of type t stay within a member. One that arrives from the
// network is to be refused. MsgForgetLeader is not among them, although it too has no business on
// the network.
func IsLocalMsg(t MessageType) bool {
	switch t {
	case MsgHup, MsgBeat, MsgUnreachable, MsgSnapStatus, MsgCheckQuorum,
		MsgStorageAppend, MsgStorageAppendResp, MsgStorageApply, MsgStorageApplyResp:
		return true
	}
	return false
}

// IsResponseMsg reports whether messages of type t answer another message. One that comes from a
// stranger is to be refused.
func IsResponseMsg(t MessageType) bool {
	switch t {
	case MsgAppResp, MsgVoteResp, MsgHeartbeatResp, MsgUnreachable, MsgReadIndexResp,
		MsgPreVoteResp, MsgStorageAppendResp, MsgStorageApplyResp:
		return true
	}
	return false
}

// Message is one message between members, or between a member's core and its storage.
// Which fields carry meaning depends on Type.
type Message struct {
	Type       MessageType
	To         uint64 // member ID of the receiver
	From       uint64 // member ID of the sender
	Term       uint64 // the sender's term; 0 on local messages, proposals and read requests
	LogTerm    uint64 // the term of the entry at Index
	Index      uint64 // a log index; which one depends on Type
	Entries    []Entry
	Commit     uint64    // the sender's commit index
	Vote       uint64    // the vote to persist, on MsgStorageAppend
	Snapshot   *Snapshot // nil: field absent
	Reject     bool
	RejectHint uint64 // where the follower's log may still match, on a rejected MsgAppResp
	Context    []byte
	Responses  []Message // to be delivered once the storage work is done
}
