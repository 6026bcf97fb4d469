package raft

import (
	"strconv"

	"github.com/raftctl/raftctl/raftpb"
)

// StateType is a member's role.
type StateType uint8

// The roles, in the numbering of etcd's raft.
const (
	StateFollower StateType = iota
	StateCandidate
	StateLeader
	StatePreCandidate // asking whether it could win
)

var stateNames = [...]string{"StateFollower", "StateCandidate", "StateLeader", "StatePreCandidate"}

// String returns the name of the constant.
func (s StateType) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "StateType(" + strconv.Itoa(int(s)) + ")"
}

// MarshalJSON returns the name of the constant in quotes.
func (s StateType) MarshalJSON() ([]byte, error) {
	return strconv.AppendQuote(nil, s.String()), nil
}

// SoftState is what a member knows for the moment; it need not be stored.
type SoftState struct {
	Lead      uint64 // the leader, None if unknown
	RaftState StateType
}

// ReadState answers a read request: once the application has applied up to Index, it may serve the
// request with the context RequestCtx, and the read will be linearizable.
type ReadState struct {
	Index      uint64
	RequestCtx []byte
}

// Peer is a member to bootstrap with.
type Peer struct {
	ID      uint64
	Context []byte // the application's, for the conf change that adds the member
}

// SnapshotStatus is what became of a snapshot that was sent.
type SnapshotStatus int

// What can become of a snapshot.
const (
	SnapshotFinish  SnapshotStatus = 1
	SnapshotFailure SnapshotStatus = 2
)

// MustSync reports whether a hard state and n entries must be on disk before the messages of the
// same Ready go out: term, vote and entries are promises to others, a commit index is not.
func MustSync(state, prev raftpb.HardState, n int) bool {
	return n != 0 || state.Vote != prev.Vote || state.Term != prev.Term
}
