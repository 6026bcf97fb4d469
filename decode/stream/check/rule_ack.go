package check

import "github.com/raftctl/raftctl/raftpb"

// ackRule: a member acknowledges no more of its leader's log than it was sent, or knows to be committed.
type ackRule struct{ *tally }

func newAckRule(_ *Checker, t *tally) judge { return &ackRule{t} }

func (r *ackRule) see(m *moment) {
	index, ok := acked(m.Message)
	if !ok {
		return
	}
	s := m.scene
	l := s.leaders.get(m.Message.Term)
	if l == nil || l.leader != m.to {
		return // one leader a term is another rule
	}
	f := l.follower(m.from)
	switch {
	case f == nil:
		r.cannot("the leader has more members than are followed")
	case index <= f.sent || index <= s.commit:
		r.ok()
	case s.silentlyCommitted(m.from, index):
		r.ok()
	case !f.wholeSent:
		r.missing(s, "what was sent before is missing")
	default:
		r.violated(f.sentBy, m, "member %x acknowledges index %d; leader %x sent it no more than %d",
			m.from, index, m.to, f.sent)
	}
}

// silentlyCommitted reports whether a member may have committed an index itself, as a leader that then told nobody.
func (s *scene) silentlyCommitted(id, index uint64) bool {
	for _, l := range s.leaders.m {
		if l.leader != id {
			continue
		}
		voters, why := s.conf.voters(l, index)
		if why != "" || l.mayCommit(index, voters, withUnknown) {
			return true
		}
	}
	return false
}

// ackKey is a member and a term in which it acknowledged.
type ackKey struct{ member, term uint64 }

// ackSeen is the highest acknowledgement of a member in a term.
type ackSeen struct {
	index uint64
	m     moment
	// id is the entry at the index, by the leader's log; its term is 0 where that isn't known.
	id raftpb.EntryID
}
