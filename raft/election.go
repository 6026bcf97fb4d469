package raft

import (
	"github.com/raftctl/raftctl/raft/quorum"
	"github.com/raftctl/raftctl/raftpb"
)

// campaignKind is the way in which a member tries to become leader.
type campaignKind uint8

const (
	campaignPreVote  campaignKind = iota // ask first, see Config.PreVote
	campaignVote                         // in a new term
	campaignTransfer                     // in a new term, whatever the lease: the leader wants it
)

// usualCampaign is the campaign when the leader was not heard of.
func (c *core) usualCampaign() campaignKind {
	if c.cfg.PreVote {
		return campaignPreVote
	}
	return campaignVote
}

// promotable reports whether this member may become leader: it is a voter and has a log, rather
// than a snapshot yet to be installed.
func (c *core) promotable() bool {
	self := c.trk.Members.Get(c.id)
	return self != nil && !self.IsLearner && c.log.unstable.snapshot == nil
}

// hup starts a campaign if there is nothing against it.
func (c *core) hup(kind campaignKind) error {
	switch {
	case c.state == StateLeader:
		c.refuseCampaign(CampaignLeader)
		return nil
	case !c.promotable():
		c.refuseCampaign(CampaignUnpromotable)
		return nil
	}
	// A membership change that is committed but not applied means that this member doesn't know by
	// whose votes it is to be elected.
	pending, err := c.hasUnappliedConfChange()
	if err != nil {
		return err
	}
	if pending {
		c.refuseCampaign(CampaignConfChange)
		return nil
	}
	if c.on() {
		c.emit(ElectionStarted{Term: c.term})
	}
	return c.campaign(kind)
}

func (c *core) refuseCampaign(reason CampaignReason) {
	if c.on() {
		c.emit(CampaignRefused{Reason: reason, Term: c.term})
	}
}

// hasUnappliedConfChange looks for a membership change among the entries committed but not applied.
func (c *core) hasUnappliedConfChange() (bool, error) {
	found := false
	visit := func(page []raftpb.Entry) bool {
		for i := range page {
			found = found || page[i].Type != raftpb.EntryNormal
		}
		return !found
	}
	err := c.log.scan(c.log.applied+1, c.log.committed+1, c.log.maxApplyingSize, visit)
	return found, err
}

// campaign asks all voters, of both halves, for their votes. This member's own is an answer to
// itself, which counts once it is on disk.
func (c *core) campaign(kind campaignKind) error {
	last, err := c.log.lastEntryID()
	if err != nil {
		return err
	}
	request := raftpb.Message{Type: raftpb.MsgVote, Index: last.Index, LogTerm: last.Term}
	if kind == campaignPreVote {
		c.becomePreCandidate()
		request.Type = raftpb.MsgPreVote
		request.Term = c.term + 1 // the term that it would enter
	} else {
		c.becomeCandidate()
		request.Term = c.term
	}
	if kind == campaignTransfer {
		request.Context = transferContext
	}
	for _, id := range c.trk.Voters.IDs() {
		if id == c.id {
			c.sendAs(raftpb.Message{Type: answerTo(request.Type), To: id, Term: request.Term})
			continue
		}
		if c.on() {
			c.emit(VoteRequested{Type: request.Type, To: id, Last: last, Term: c.term})
		}
		request.To = id
		c.sendAs(request)
	}
	return nil
}

// answerTo returns the type of the answer to a request for a vote.
func answerTo(t raftpb.MessageType) raftpb.MessageType {
	if t == raftpb.MsgPreVote {
		return raftpb.MsgPreVoteResp
	}
	return raftpb.MsgVoteResp
}

// answerVote votes, or refuses to. A learner votes too: it may have been made a voter by a change
// that it doesn't know of yet, and the group may need its vote to find a leader who can tell it.
func (c *core) answerVote(m *raftpb.Message) error {
	last, err := c.log.lastEntryID()
	if err != nil {
		return err
	}
	candidate := raftpb.EntryID{Term: m.LogTerm, Index: m.Index}
	if !c.mayVote(m) || !upToDate(candidate, last) {
		c.emitVote(m, last, VoteRejected)
		c.send(raftpb.Message{Type: answerTo(m.Type), To: m.From, Reject: true})
		return nil
	}
	c.emitVote(m, last, VoteCast)
	// The answer has the term of the question. For a pre-vote that is not this member's: in its
	// own, the candidate might take the answer for one that came late.
	c.sendAs(raftpb.Message{Type: answerTo(m.Type), To: m.From, Term: m.Term})
	if m.Type == raftpb.MsgVote {
		c.elapsed.election = 0
		c.vote = m.From
	}
	return nil
}

// mayVote reports whether this member is free to vote for the sender: it voted for it before, or
// for nobody and knows no leader, or is only asked about a term to come.
//
// Invariant: at most one vote a term (paper, section 5.2), because vote is only reset with the
// term.
func (c *core) mayVote(m *raftpb.Message) bool {
	return c.vote == m.From ||
		c.vote == None && c.lead == None ||
		m.Type == raftpb.MsgPreVote && m.Term > c.term
}

// reportVote tells the observer what became of a request for a vote.
func (c *core) reportVote(m *raftpb.Message, answer VoteAnswer) error {
	if !c.on() {
		return nil
	}
	last, err := c.log.lastEntryID()
	if err != nil {
		return err
	}
	c.emitVote(m, last, answer)
	return nil
}

func (c *core) emitVote(m *raftpb.Message, last raftpb.EntryID, answer VoteAnswer) {
	if !c.on() {
		return
	}
	e := VoteAnswered{
		Type:      m.Type,
		From:      m.From,
		Candidate: raftpb.EntryID{Term: m.LogTerm, Index: m.Index},
		Last:      last,
		Vote:      c.vote,
		Term:      c.term,
		Answer:    answer,
	}
	if answer == VoteIgnored {
		e.Lease = c.cfg.ElectionTick - c.elapsed.election
	}
	c.emit(e)
}

// countVote records an answer to this member's campaign and acts when that decides it.
func (c *core) countVote(m *raftpb.Message) error {
	c.trk.RecordVote(m.From, !m.Reject)
	tally := c.trk.TallyVotes()
	if c.on() {
		c.emit(VoteReceived{Type: m.Type, From: m.From, Granted: !m.Reject, Term: c.term})
		c.emit(VotesCounted{Type: m.Type, Granted: tally.Granted, Rejected: tally.Rejected})
	}
	switch {
	case tally.Result == quorum.VoteLost:
		c.becomeFollower(c.term, None)
	case tally.Result == quorum.VotePending:
	case c.state == StatePreCandidate:
		return c.campaign(campaignVote)
	case c.trk.Members.Get(c.id) == nil:
		// The membership changed under the campaign and left this member out.
		c.becomeFollower(c.term, None)
	default:
		c.becomeLeader()
		return c.broadcastAppend()
	}
	return nil
}

// checkQuorum has the leader step down if no quorum of voters answered since the last time.
func (c *core) checkQuorum() {
	if !c.trk.QuorumActive() {
		if c.on() {
			c.emit(QuorumLost{})
		}
		c.becomeFollower(c.term, None)
	}
	for i := range c.trk.Members {
		if member := &c.trk.Members[i]; member.ID != c.id {
			member.RecentActive = false
		}
	}
}

// forgetLeader makes a follower take part in an election without waiting for its timeout.
func (c *core) forgetLeader() {
	if c.cfg.ReadOnlyOption == ReadOnlyLeaseBased {
		// The leader may be serving reads on the strength of this member's patience.
		if c.on() {
			c.emit(ForgetLeaderIgnored{})
		}
		return
	}
	if c.lead == None {
		return
	}
	if c.on() {
		c.emit(LeaderForgotten{Lead: c.lead, Term: c.term})
	}
	c.lead = None
}
