package raft

import "github.com/raftctl/raftctl/raftpb"

// askStorage queues the messages that ask the storage threads for what a Ready says. In the
// asynchronous mode no reply of this member to itself is handled before the work that it speaks of
// is done, however many Readys are under way.
func (n *RawNode) askStorage(rd *Ready) {
	c := n.core
	if len(rd.Entries) > 0 || !rd.HardState.IsEmpty() || rd.Snapshot != nil ||
		len(c.msgsAfterAppend) > 0 {
		c.msgs = append(c.msgs, n.appendRequest(rd))
	}
	if len(rd.CommittedEntries) > 0 {
		c.msgs = append(c.msgs, n.applyRequest(rd))
	}
}

// appendRequest asks for entries, hard state and snapshot to be stored, and for what waits for them
// to be delivered then. Term, Vote and Commit are set only when they are to be stored.
func (n *RawNode) appendRequest(rd *Ready) raftpb.Message {
	c := n.core
	m := raftpb.Message{
		Type:     raftpb.MsgStorageAppend,
		To:       LocalAppendThread,
		From:     c.id,
		Term:     rd.HardState.Term,
		Vote:     rd.HardState.Vote,
		Commit:   rd.HardState.Commit,
		Entries:  rd.Entries,
		Snapshot: rd.Snapshot,
	}
	m.Responses = c.msgsAfterAppend
	c.msgsAfterAppend = nil
	if n.needAppendReply(rd) {
		m.Responses = append(m.Responses, n.appendReply(rd))
	}
	return m
}

// needAppendReply reports whether the core is to be told when a Ready is stored: also when it has
// no entries itself, as long as there are some from before, see lateAppendDone.
func (n *RawNode) needAppendReply(rd *Ready) bool {
	return len(n.core.log.unstable.entries) > 0 || rd.Snapshot != nil
}

// appendReply is what the core is to be told then: that in this term its log is stable up to its
// present end. With the term, the reply does not speak of writes that a later term may have
// overtaken.
func (n *RawNode) appendReply(rd *Ready) raftpb.Message {
	c := n.core
	m := raftpb.Message{
		Type:     raftpb.MsgStorageAppendResp,
		To:       c.id,
		From:     LocalAppendThread,
		Term:     c.term,
		Snapshot: rd.Snapshot,
	}
	if entries := c.log.unstable.entries; len(entries) > 0 {
		last := entries[len(entries)-1].ID()
		m.Index, m.LogTerm = last.Index, last.Term
	}
	return m
}

// applyRequest asks for committed entries to be applied.
func (n *RawNode) applyRequest(rd *Ready) raftpb.Message {
	return raftpb.Message{
		Type:      raftpb.MsgStorageApply,
		To:        LocalApplyThread,
		From:      n.core.id,
		Entries:   rd.CommittedEntries,
		Responses: []raftpb.Message{n.applyReply(rd)},
	}
}

// applyReply is what the core is to be told when they are.
func (n *RawNode) applyReply(rd *Ready) raftpb.Message {
	return raftpb.Message{
		Type:    raftpb.MsgStorageApplyResp,
		To:      n.core.id,
		From:    LocalApplyThread,
		Entries: rd.CommittedEntries,
	}
}
