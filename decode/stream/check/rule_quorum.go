package check

import (
	"maps"
	"slices"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/raft/quorum"
)

// quorumRule: a leader commits entries of its term when a quorum acknowledged them, and those before with them
// (sections 5.3 and 5.4.2).
type quorumRule struct{ *tally }

func newQuorumRule(_ *Checker, t *tally) judge { return &quorumRule{t} }

func (r *quorumRule) see(m *moment) {
	l := m.scene.leadershipOf(m)
	commit, ok := toldCommit(m.Message)
	if l == nil || !ok || commit <= m.scene.commit {
		return
	}
	voters, why := m.scene.conf.voters(l, commit)
	switch {
	case m.scene.beforeEvidence(l, commit):
		r.given++
	case why != "":
		r.cannot(why)
	case m.scene.wasCommitted(l, commit, voters, onlySeen):
		r.ok()
	case m.scene.wasCommitted(l, commit, voters, withBefore):
		r.given++
	case m.scene.wasCommitted(l, commit, voters, withUnknown):
		r.cannot("acknowledgements are missing")
	default:
		first, text := lacking(l, commit, voters)
		r.violated(first, m, "leader %x of term %d tells commit index %d; %s", m.from, l.term, commit, text)
	}
}

// beforeEvidence reports whether a commit index may be from before the evidence: nothing was told yet, and it isn't known
// to be of a term of which all was seen.
func (s *scene) beforeEvidence(l *leadership, commit uint64) bool {
	if s.commitTold != nil {
		return false
	}
	term, ok := l.termAt(commit)
	return !l.fromStart || !ok || term != l.term
}

// wasCommitted reports whether an index may be committed in this leadership, or was in an earlier one of the same
// leader, who told nobody.
func (s *scene) wasCommitted(l *leadership, commit uint64, voters []quorum.Joint, t trust) bool {
	if l.mayCommit(commit, voters, t) {
		return true
	}
	for term, earlier := range s.leaders.m {
		if term < l.term && (earlier.leader == l.leader || t == withUnknown && s.gaps > 0) &&
			earlier.mayCommit(commit, voters, t) {
			return true
		}
	}
	return false
}

// lacking returns the acknowledgement that should have reached a commit index and did not: the highest below it, of
// those of voters.
func lacking(l *leadership, commit uint64, voters []quorum.Joint) (by *stream.Event, text string) {
	best := uint64(0)
	for _, id := range slices.Sorted(maps.Keys(l.followers)) {
		f := l.followers[id]
		if f.ackedBy != nil && f.acked < commit && f.acked > best && contains(voters, id) {
			best, by = f.acked, f.ackedBy
		}
	}
	last := voters[len(voters)-1]
	q := uint64(last.CommittedIndex(ackedView{l, withBefore}))
	switch {
	case q >= commit:
		return l.toldBy, "a quorum acknowledged it, but it is of an earlier term"
	case by == nil:
		by = l.toldBy
	}
	return by, "a quorum of " + last.String() + " acknowledged no more than " + quorum.Index(q).String()
}

func contains(voters []quorum.Joint, id uint64) bool {
	for _, v := range voters {
		if v.Contains(id) {
			return true
		}
	}
	return false
}
