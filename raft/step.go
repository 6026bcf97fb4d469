package raft

import (
	"bytes"

	"github.com/raftctl/raftctl/raftpb"
)

// transferContext marks the votes of a campaign that the leader asked for.
var transferContext = []byte("CampaignTransfer")

// step handles a message: first its term, then what any role handles alike, then what is up to the
// role.
func (c *core) step(m *raftpb.Message) error {
	switch {
	case m.Term == 0: // the application's, or passed on
	case m.Term > c.term:
		if goOn, err := c.stepHigherTerm(m); !goOn || err != nil {
			return err
		}
	case m.Term < c.term:
		return c.stepLowerTerm(m)
	}
	switch m.Type {
	case raftpb.MsgHup:
		return c.hup(c.usualCampaign())
	case raftpb.MsgStorageAppendResp:
		return c.appendDone(m)
	case raftpb.MsgStorageApplyResp:
		return c.applyDone(m)
	case raftpb.MsgVote, raftpb.MsgPreVote:
		return c.answerVote(m)
	}
	switch c.state {
	case StateLeader:
		return c.stepLeader(m)
	case StateFollower:
		return c.stepFollower(m)
	}
	return c.stepCandidate(m)
}

// stepHigherTerm handles the term of a message from a later one, and reports whether to go on with
// it. This member joins that term, except for the sake of a pre-vote, which is only a question
// about it.
func (c *core) stepHigherTerm(m *raftpb.Message) (goOn bool, err error) {
	vote := m.Type == raftpb.MsgVote || m.Type == raftpb.MsgPreVote
	if vote && c.inLease() && !bytes.Equal(m.Context, transferContext) {
		// This member heard of a leader less than an election timeout ago. Whoever campaigns
		// now was cut off or removed, and must not disturb it (dissertation, section 4.2.3).
		return false, c.reportVote(m, VoteIgnored)
	}
	switch {
	case m.Type == raftpb.MsgPreVote:
		return true, nil
	case m.Type == raftpb.MsgPreVoteResp && !m.Reject:
		// It is in the term that this member asked about, and will enter if enough agree.
		return true, nil
	}
	if c.on() {
		c.emit(HigherTermSeen{Type: m.Type, From: m.From, Term: c.term, TheirTerm: m.Term})
	}
	lead := uint64(None)
	switch m.Type {
	case raftpb.MsgApp, raftpb.MsgHeartbeat, raftpb.MsgSnap:
		lead = m.From
	}
	c.becomeFollower(m.Term, lead)
	return true, nil
}

// inLease reports whether the leader may still count on nobody else being elected.
func (c *core) inLease() bool {
	return c.cfg.CheckQuorum && c.lead != None && c.elapsed.election < c.cfg.ElectionTick
}

// stepLowerTerm handles a message from an earlier term. Most of them are simply late.
func (c *core) stepLowerTerm(m *raftpb.Message) error {
	switch m.Type {
	case raftpb.MsgHeartbeat, raftpb.MsgApp:
		if c.cfg.CheckQuorum || c.cfg.PreVote {
			// The sender is a leader that doesn't know of this term. With these options, campaigns
			// of this member may be ignored, so that it could never win the sender over by one: an
			// answer makes it step down.
			c.send(raftpb.Message{Type: raftpb.MsgAppResp, To: m.From})
			return nil
		}
	case raftpb.MsgPreVote:
		// A member of a lower term with the better log may be the only one that can win. It must
		// learn of the term, lest members with and without PreVote wait for each other for ever.
		if err := c.reportVote(m, VoteRejected); err != nil {
			return err
		}
		c.send(raftpb.Message{Type: raftpb.MsgPreVoteResp, To: m.From, Reject: true})
		return nil
	case raftpb.MsgStorageAppendResp:
		return c.lateAppendDone(m)
	}
	if c.on() {
		c.emit(LowerTermIgnored{Type: m.Type, From: m.From, Term: c.term, TheirTerm: m.Term})
	}
	return nil
}

func (c *core) stepLeader(m *raftpb.Message) error {
	switch m.Type {
	case raftpb.MsgProp:
		return c.propose(m)
	case raftpb.MsgReadIndex:
		return c.readIndex(m)
	case raftpb.MsgForgetLeader:
		return nil
	}
	p := c.trk.Members.Get(m.From)
	if p == nil {
		if c.on() {
			c.emit(NoProgress{From: m.From})
		}
		return nil
	}
	switch m.Type {
	case raftpb.MsgAppResp:
		return c.handleAppendResponse(m, p)
	case raftpb.MsgHeartbeatResp:
		return c.handleHeartbeatResponse(m, p)
	case raftpb.MsgSnapStatus:
		c.handleSnapshotStatus(m, p)
	case raftpb.MsgUnreachable:
		c.handleUnreachable(m, p)
	case raftpb.MsgTransferLeader:
		return c.transferLeader(m.From, p)
	}
	return nil
}

func (c *core) stepFollower(m *raftpb.Message) error {
	switch m.Type {
	case raftpb.MsgProp:
		return c.forwardProposal(m)
	case raftpb.MsgApp:
		c.heardOf(m.From)
		return c.handleAppend(m)
	case raftpb.MsgHeartbeat:
		c.heardOf(m.From)
		return c.handleHeartbeat(m)
	case raftpb.MsgSnap:
		c.heardOf(m.From)
		return c.handleSnapshot(m)
	case raftpb.MsgTransferLeader:
		return c.forwardTransfer(m)
	case raftpb.MsgForgetLeader:
		c.forgetLeader()
	case raftpb.MsgTimeoutNow:
		return c.timeoutNow(m)
	case raftpb.MsgReadIndex:
		c.forwardRead(m)
	case raftpb.MsgReadIndexResp:
		c.handleReadResponse(m)
	}
	return nil
}

// stepCandidate handles messages to candidates and pre-candidates. Word of a leader in this term
// ends the campaign.
func (c *core) stepCandidate(m *raftpb.Message) error {
	switch m.Type {
	case raftpb.MsgProp:
		return c.dropProposal(DropNoLeader)
	case raftpb.MsgApp:
		c.becomeFollower(m.Term, m.From)
		return c.handleAppend(m)
	case raftpb.MsgHeartbeat:
		c.becomeFollower(m.Term, m.From)
		return c.handleHeartbeat(m)
	case raftpb.MsgSnap:
		c.becomeFollower(m.Term, m.From)
		return c.handleSnapshot(m)
	case raftpb.MsgVoteResp:
		if c.state == StateCandidate {
			return c.countVote(m)
		}
	case raftpb.MsgPreVoteResp:
		// While it is a candidate, answers to the pre-vote before may still come in.
		if c.state == StatePreCandidate {
			return c.countVote(m)
		}
	case raftpb.MsgTimeoutNow:
		return c.timeoutNow(m)
	case raftpb.MsgTransferLeader:
		c.ignoreTransfer(TransferCampaigning, m.From)
	case raftpb.MsgReadIndex:
		c.dropRead()
	}
	return nil
}

// heardOf records that the leader lives.
func (c *core) heardOf(lead uint64) {
	c.elapsed.election = 0
	c.lead = lead
}
