package stat

import (
	"time"

	"github.com/raftctl/raftctl/raftpb"
)

// elections follows campaigns, the last of each member until its outcome is seen.
type elections struct {
	g    *Gatherer
	list []Election // the last ones, oldest first
	// heard is when a member last heard of a leader, handed when a leader last told it to campaign.
	heard, handed map[uint64]time.Time
	open          int // those whose outcome is not known
	voters        map[voteKey]bool
}

// voteKey is a vote, which may be told several times.
type voteKey struct {
	voter, candidate, term uint64
	pre                    bool
}

// counts reports whether a vote wasn't counted before.
func (x *elections) counts(k voteKey) bool {
	if x.voters[k] {
		return false
	}
	if x.voters == nil || len(x.voters) >= maxFlows {
		x.voters = map[voteKey]bool{}
	}
	x.voters[k] = true
	return true
}

// campaignContext marks the vote requests of a candidate that a leader handed over to.
const campaignContext = "CampaignTransfer"

// soon is how long after it was told to a member campaigns at a leader's word.
const soon = time.Second

func (x *elections) see(m *moment) {
	if x.heard == nil {
		x.heard, x.handed = map[uint64]time.Time{}, map[uint64]time.Time{}
	}
	switch m.msg.Type {
	case raftpb.MsgPreVote, raftpb.MsgVote:
		x.asked(m)
	case raftpb.MsgVoteResp, raftpb.MsgPreVoteResp:
		x.voted(m)
	case raftpb.MsgTimeoutNow:
		note(x.handed, m)
	case raftpb.MsgApp, raftpb.MsgHeartbeat, raftpb.MsgSnap:
		x.led(m)
		note(x.heard, m)
	}
}

// note notes a time of the receiver.
func note(times map[uint64]time.Time, m *moment) {
	if _, ok := times[m.to]; ok || len(times) < maxFollowed {
		times[m.to] = m.Time
	}
}

// find returns the last campaign of a member in a term, nil where there is none.
func (x *elections) find(candidate, term uint64) *Election {
	for i := len(x.list) - 1; i >= 0; i-- {
		if e := &x.list[i]; e.Candidate == candidate && e.Term == term {
			return e
		}
	}
	return nil
}

// asked takes a request for a vote. One without consequence, for the same term as the one before, goes on with it.
func (x *elections) asked(m *moment) {
	e := x.find(m.from, m.msg.Term)
	pre := m.msg.Type == raftpb.MsgPreVote
	if e == nil {
		e = x.begin(m)
		e.PreVote = pre
	}
	if !pre && e.Outcome == OutcomePreVote {
		e.Outcome, e.Granted, e.Refused = OutcomeNotKnown, 0, 0
		x.open++
	}
}

// begin lists a new campaign. Those before that another one has overtaken are lost.
func (x *elections) begin(m *moment) *Election {
	for i := range x.list {
		if e := &x.list[i]; e.Outcome == OutcomeNotKnown && e.Term < m.msg.Term {
			x.decide(e, m, OutcomeLost)
		}
	}
	e := Election{
		Term: m.msg.Term, Candidate: m.from, Start: m.Time, Cause: CauseTimeout, Outcome: OutcomeNotKnown,
	}
	if m.msg.Type == raftpb.MsgPreVote {
		e.Outcome = OutcomePreVote
	} else {
		x.open++
	}
	if t, ok := x.heard[m.from]; ok {
		e.Silence = max(0, m.Time.Sub(t))
	}
	if t, ok := x.handed[m.from]; ok && m.Time.Sub(t) < soon || string(m.msg.Context) == campaignContext {
		e.Cause = CauseTransfer
	}
	x.g.s.ElectionsSeen++
	x.list = append(x.list, e)
	if len(x.list) > maxElections {
		if x.list[0].Outcome == OutcomeNotKnown {
			x.open--
		}
		x.list = append(x.list[:0], x.list[1:]...)
	}
	return &x.list[len(x.list)-1]
}

// voted takes a vote. One that is refused has the voter's own term: it counts for the candidate's last campaign.
func (x *elections) voted(m *moment) {
	pre := m.msg.Type == raftpb.MsgPreVoteResp
	for i := len(x.list) - 1; i >= 0; i-- {
		e := &x.list[i]
		if e.Candidate != m.to || !m.msg.Reject && e.Term != m.msg.Term {
			continue
		}
		if pre != (e.Outcome == OutcomePreVote) {
			return // a late answer
		}
		switch {
		case !x.counts(voteKey{m.from, m.to, e.Term, pre}):
		case m.msg.Reject:
			e.Refused++
		default:
			e.Granted++
		}
		return
	}
}

// led takes a message of a leader: its campaign is won, others of its term or before are lost.
func (x *elections) led(m *moment) {
	for i := range x.list {
		if x.open == 0 {
			return
		}
		e := &x.list[i]
		switch {
		case e.Outcome != OutcomeNotKnown || e.Term > m.msg.Term:
		case e.Term == m.msg.Term && e.Candidate == m.from:
			x.decide(e, m, OutcomeWon)
			x.g.latencies[KindElection].Add(e.Duration)
		default:
			x.decide(e, m, OutcomeLost)
		}
	}
}

// decide notes the outcome of an election.
func (x *elections) decide(e *Election, m *moment, o Outcome) {
	e.Outcome, e.Duration = o, m.Time.Sub(e.Start)
	x.open--
}

// all returns the list.
func (x *elections) all() []Election { return append([]Election(nil), x.list...) }
