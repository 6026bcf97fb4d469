package check

import (
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/raftpb"
)

// termOf returns the term that the sender was in; ok is false where the message doesn't tell. A pre-vote and its
// granting are about a term that nobody is in yet.
func termOf(m *raftpb.Message) (term uint64, ok bool) {
	switch m.Type {
	case raftpb.MsgProp, raftpb.MsgReadIndex, raftpb.MsgPreVote:
		return 0, false
	case raftpb.MsgPreVoteResp:
		return m.Term, m.Reject && m.Term > 0
	}
	return m.Term, m.Term > 0
}

// leaderOf returns who leads the message's term, by the message; ok is false where it doesn't tell. A MsgAppResp
// with index 0 tells an old leader of a new term.
func (m *moment) leaderOf() (leader uint64, ok bool) {
	msg := m.Message
	switch msg.Type {
	case raftpb.MsgApp, raftpb.MsgHeartbeat, raftpb.MsgSnap, raftpb.MsgTimeoutNow, raftpb.MsgReadIndexResp:
		return m.from, msg.Term > 0
	case raftpb.MsgHeartbeatResp:
		return m.to, msg.Term > 0
	case raftpb.MsgAppResp:
		return m.to, msg.Term > 0 && (msg.Index > 0 || msg.Reject)
	}
	return 0, false
}

// isPromise reports whether a message waits for the sender's disk, so that others may overtake it.
func isPromise(t raftpb.MessageType) bool {
	return t == raftpb.MsgAppResp || t == raftpb.MsgVoteResp || t == raftpb.MsgPreVoteResp
}

// inOrder reports whether messages of one connection leave in the order in which the sender made them. Several
// POSTs are under way at once.
func inOrder(c stream.Channel) bool {
	switch c {
	case stream.ChannelMessage, stream.ChannelAppend, stream.ChannelClassic, stream.ChannelMemory:
		return true
	}
	return false
}

// toldCommit returns the commit index that a leader tells; ok is false where it tells none.
func toldCommit(m *raftpb.Message) (commit uint64, ok bool) {
	switch m.Type {
	case raftpb.MsgApp, raftpb.MsgHeartbeat:
		commit = m.Commit
	case raftpb.MsgReadIndexResp:
		commit = m.Index
	case raftpb.MsgSnap:
		if m.Snapshot != nil {
			commit = m.Snapshot.Metadata.Index
		}
	}
	return commit, commit > 0
}

// acked returns the index up to which a member acknowledges its leader's log.
func acked(m *raftpb.Message) (index uint64, ok bool) {
	return m.Index, m.Type == raftpb.MsgAppResp && !m.Reject && m.Index > 0 && m.Term > 0
}
