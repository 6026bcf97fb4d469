package tracker

import "github.com/raftctl/raftctl/raft/quorum"

// Tracker is the membership, the progress of each member, and the votes of an election.
type Tracker struct {
	Config
	Members Members
	// MaxInflight and MaxInflightBytes bound the windows of new members.
	MaxInflight      int
	MaxInflightBytes uint64

	votes []ballot
}

// ballot is one member's vote.
type ballot struct {
	id      uint64
	granted bool
}

// AckedIndex returns how far a member's log matches, for the quorum's arithmetic.
func (t *Tracker) AckedIndex(id uint64) (quorum.Index, bool) {
	if p := t.Members.Get(id); p != nil {
		return quorum.Index(p.Match), true
	}
	return 0, false
}

// Committed returns the highest index that a quorum's logs match. It is quorum.Unbounded for a
// membership without voters.
func (t *Tracker) Committed() uint64 { return uint64(t.Voters.CommittedIndex(t)) }

// QuorumActive reports whether a quorum of voters answered recently.
func (t *Tracker) QuorumActive() bool {
	return t.Voters.VoteResult(func(id uint64) (granted, voted bool) {
		p := t.Members.Get(id)
		if p == nil || p.IsLearner {
			return false, false
		}
		return p.RecentActive, true
	}) == quorum.VoteWon
}

// ResetVotes prepares for a new election.
func (t *Tracker) ResetVotes() { t.votes = t.votes[:0] }

// RecordVote records a member's vote. The first one counts.
func (t *Tracker) RecordVote(id uint64, granted bool) {
	if _, voted := t.Vote(id); !voted {
		t.votes = append(t.votes, ballot{id: id, granted: granted})
	}
}

// Vote returns what a member voted, and whether it did.
func (t *Tracker) Vote(id uint64) (granted, voted bool) {
	for _, v := range t.votes {
		if v.id == id {
			return v.granted, true
		}
	}
	return false, false
}

// Tally is the state of an election.
type Tally struct {
	Granted, Rejected int // votes of members that aren't learners, for information
	Result            quorum.VoteResult
}

// TallyVotes counts the votes.
func (t *Tracker) TallyVotes() Tally {
	tally := Tally{Result: t.Voters.VoteResult(t.Vote)}
	for i := range t.Members {
		granted, voted := t.Vote(t.Members[i].ID)
		switch {
		case t.Members[i].IsLearner || !voted:
		case granted:
			tally.Granted++
		default:
			tally.Rejected++
		}
	}
	return tally
}

// NewProgress returns the progress of a member that nothing is known of, to be probed at the entry
// next. It counts as active, lest the next check of the quorum comes before it could answer.
func (t *Tracker) NewProgress(next uint64, learner bool) Progress {
	return Progress{
		Next:         max(next, 1),
		Inflights:    NewInflights(t.MaxInflight, t.MaxInflightBytes),
		IsLearner:    learner,
		RecentActive: true,
	}
}

// ResetProgress forgets what was known of every member, as on a change of role or term: each is to
// be probed after lastIndex. The member self, if it is one, has its own log.
func (t *Tracker) ResetProgress(self, lastIndex uint64) {
	for i := range t.Members {
		p := &t.Members[i].Progress
		p.Inflights.reset()
		*p = Progress{Next: lastIndex + 1, Inflights: p.Inflights, IsLearner: p.IsLearner}
		if t.Members[i].ID == self {
			p.Match = lastIndex
		}
	}
}
