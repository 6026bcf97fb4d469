package check

import (
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/raftpb"
)

// maxTerms is how many terms are remembered of which the leader or the votes are known.
const maxTerms = 1 << 12

// leaderRule: at most one member leads in a term (Raft paper, section 5.2).
type leaderRule struct {
	*tally
	terms *keyed[uint64, leaderSeen]
}

type leaderSeen struct {
	leader uint64
	by     *stream.Event
}

func newLeaderRule(_ *Checker, t *tally) judge {
	return &leaderRule{t, newKeyed[uint64, leaderSeen](maxTerms)}
}

func (r *leaderRule) see(m *moment) {
	leader, ok := m.leaderOf()
	if !ok {
		return
	}
	term := m.Message.Term
	have, isNew := r.terms.put(term)
	switch {
	case isNew:
		*have = leaderSeen{leader, m.keep()}
		r.ok()
	case have.leader == leader:
		r.ok()
	default:
		r.violated(have.by, m, "member %x leads in term %d, and so does %x", leader, term, have.leader)
	}
}

// voteRule: a member votes for one candidate in a term (section 5.2). Who asks for votes has voted for itself.
type voteRule struct {
	*tally
	votes *keyed[voteKey, voteSeen]
}

type voteKey struct{ term, voter uint64 }

type voteSeen struct {
	candidate uint64
	by        *stream.Event
}

func newVoteRule(_ *Checker, t *tally) judge {
	return &voteRule{t, newKeyed[voteKey, voteSeen](maxTerms)}
}

func (r *voteRule) see(m *moment) {
	var candidate uint64
	switch msg := m.Message; {
	case msg.Type == raftpb.MsgVote:
		candidate = m.from
	case msg.Type == raftpb.MsgVoteResp && !msg.Reject:
		candidate = m.to
	default:
		return
	}
	key := voteKey{m.Message.Term, m.from}
	have, isNew := r.votes.put(key)
	switch {
	case isNew:
		*have = voteSeen{candidate, m.keep()}
		r.ok()
	case have.candidate == candidate:
		r.ok()
	default:
		r.violated(have.by, m, "member %x votes for %x in term %d, and had voted for %x",
			m.from, candidate, key.term, have.candidate)
	}
}
