package raft

import "github.com/raftctl/raftctl/raftpb"

// send queues a message of this member in its term.
func (c *core) send(m raftpb.Message) {
	m.Term = c.term
	c.sendAs(m)
}

// sendAs queues a message with the term that it has: that of a campaign for votes and their
// answers, none for what is passed on for others.
func (c *core) sendAs(m raftpb.Message) {
	if m.From == None {
		m.From = c.id
	}
	switch m.Type {
	case raftpb.MsgAppResp, raftpb.MsgVoteResp, raftpb.MsgPreVoteResp:
		// These are promises: of entries and votes that must not be forgotten. They wait until
		// those are on disk. Refusals wait as well, which is rarely needed and always safe.
		c.msgsAfterAppend = append(c.msgsAfterAppend, m)
	default:
		c.msgs = append(c.msgs, m)
	}
}

// forward passes a message of another, or of the application, on to the leader. It carries no term,
// so that it is taken in whatever term it arrives.
func (c *core) forward(m *raftpb.Message) {
	f := *m
	f.To = c.lead
	c.sendAs(f)
}
