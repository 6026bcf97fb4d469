package check

import "github.com/raftctl/raftctl/raftpb"

// beatRule: a heartbeat tells its receiver of no commit index beyond what that one acknowledged in the term. Who does
// not hold to it has etcd's members end: they can't commit what they don't have.
type beatRule struct{ *tally }

func newBeatRule(_ *Checker, t *tally) judge { return &beatRule{t} }

func (r *beatRule) see(m *moment) {
	l := m.scene.leadershipOf(m)
	if l == nil || m.Message.Type != raftpb.MsgHeartbeat {
		return
	}
	f := l.follower(m.to)
	switch commit := m.Message.Commit; {
	case commit == 0 || f != nil && commit <= f.acked:
		r.ok()
	case f != nil && f.known && commit <= f.assumed:
		r.given++
	case f == nil:
		r.cannot("the leader has more members than are followed")
	case !m.scene.sees(m.to, l.leader):
		r.notSeen(m.scene, m.to, l.leader, "acknowledgements are missing")
	case !f.known:
		r.missing(m.scene, "acknowledgements are missing")
	default:
		r.violated(f.ackedBy, m, "leader %x tells member %x commit index %d by heartbeat; it acknowledged no more than %d",
			m.from, m.to, commit, f.acked)
	}
}
