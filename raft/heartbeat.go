package raft

import (
	"github.com/raftctl/raftctl/raft/tracker"
	"github.com/raftctl/raftctl/raftpb"
)

// broadcastHeartbeat sends every other member a sign of life, the commit index as far as it is
// known to have the entries, and the position of the last read that waits for its answer.
func (c *core) broadcastHeartbeat() {
	context := c.reads.context()
	for i := range c.trk.Members {
		member := &c.trk.Members[i]
		if member.ID == c.id {
			continue
		}
		// Not beyond Match: the member's log may differ after it.
		commit := min(member.Match, c.log.committed)
		c.send(raftpb.Message{
			Type:    raftpb.MsgHeartbeat,
			To:      member.ID,
			Commit:  commit,
			Context: context,
		})
		member.SentCommit = commit
	}
}

// handleHeartbeat answers the leader's sign of life.
func (c *core) handleHeartbeat(m *raftpb.Message) error {
	if last := c.log.lastIndex(); m.Commit > last {
		// The leader knows that this member had the entries. It must have lost them, and with them
		// perhaps a vote: it can't be trusted to be what the leader takes it for.
		return c.refuseValue(m, RefusedCommit, m.Commit, last)
	}
	c.log.commitTo(m.Commit)
	c.send(raftpb.Message{Type: raftpb.MsgHeartbeatResp, To: m.From, Context: m.Context})
	return nil
}

// handleHeartbeatResponse handles a member's answer: it is alive, so that it can be tried again.
func (c *core) handleHeartbeatResponse(m *raftpb.Message, p *tracker.Progress) error {
	p.RecentActive = true
	p.MsgAppFlowPaused = false
	// To a member with a full window this goes empty; to one that is probed but lacks nothing, its
	// answer says so.
	if p.Match < c.log.lastIndex() || p.State == tracker.StateProbe {
		if _, err := c.sendAppend(m.From, p, true); err != nil {
			return err
		}
	}
	return c.confirmReads(m)
}
