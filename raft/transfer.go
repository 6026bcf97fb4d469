package raft

import (
	"github.com/raftctl/raftctl/raft/tracker"
	"github.com/raftctl/raftctl/raftpb"
)

// transferLeader starts to hand leadership to another voter (dissertation, section 3.10): once its
// log is as long as the leader's, it is told to campaign. Until then, or until an election timeout
// is over, nothing is proposed.
func (c *core) transferLeader(to uint64, p *tracker.Progress) error {
	switch {
	case p.IsLearner:
		c.ignoreTransfer(TransferToLearner, to)
		return nil
	case c.transferee == to:
		c.ignoreTransfer(TransferInProgress, to)
		return nil
	case c.transferee != None:
		if c.on() {
			c.emit(TransferAborted{Term: c.term, To: c.transferee})
		}
		c.transferee = None
	}
	if to == c.id {
		c.ignoreTransfer(TransferToSelf, to)
		return nil
	}
	if c.on() {
		c.emit(TransferStarted{Term: c.term, To: to})
	}
	c.elapsed.election = 0
	c.transferee = to
	if p.Match == c.log.lastIndex() {
		c.sendTimeoutNow(to, true)
		return nil
	}
	_, err := c.sendAppend(to, p, true)
	return err
}

func (c *core) ignoreTransfer(reason TransferReason, to uint64) {
	if c.on() {
		c.emit(TransferIgnored{Reason: reason, Term: c.term, To: to})
	}
}

// sendTimeoutNow tells a member to campaign at once.
func (c *core) sendTimeoutNow(to uint64, immediate bool) {
	c.send(raftpb.Message{Type: raftpb.MsgTimeoutNow, To: to})
	if c.on() {
		c.emit(TimeoutNowSent{To: to, Immediate: immediate})
	}
}

// timeoutNow campaigns at the leader's word. There is no pre-vote: the leader is known to want it.
func (c *core) timeoutNow(m *raftpb.Message) error {
	if c.on() {
		c.emit(TimeoutNowReceived{From: m.From, Term: c.term, State: c.state})
	}
	if c.state != StateFollower {
		return nil
	}
	return c.hup(campaignTransfer)
}

// forwardTransfer passes a request to hand over leadership to the leader, with this member's term.
// One that has a term was passed on before: whoever did took this member for the leader, and it
// would go in circles.
func (c *core) forwardTransfer(m *raftpb.Message) error {
	switch {
	case c.lead == None:
		c.ignoreTransfer(TransferNoLeader, m.From)
		return nil
	case m.Term != 0:
		return c.refuse(m, RefusedForwarded)
	}
	f := *m
	f.To = c.lead
	c.send(f)
	return nil
}
