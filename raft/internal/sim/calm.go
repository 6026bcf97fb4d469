package sim

import (
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/raft/quorum"
	"github.com/raftctl/raftctl/raftpb"
)

// calmTicks is how long the group has to get back to work.
const calmTicks = 6000

// becomeCalm ends all faults: everybody is up, the network and the clocks are fine.
func (w *world) becomeCalm() {
	w.calm = true
	w.net.mend()
	w.ladder.note(w.now, 0, "no more faults")
	for _, m := range w.members {
		m.tick, m.stalled = tickTime, 0
		if !m.up {
			m.start()
		}
	}
	w.recover(&recovery{deadline: w.now + calmTicks*tickTime})
}

// recovery is what shows that the group is at work again: at each of its members something was put
// and read.
type recovery struct {
	deadline int64
	asked    [maxMembers + 1]*[2]*operation
}

// recover looks from time to time whether the group is at work again.
func (w *world) recover(r *recovery) {
	if w.found != nil {
		return
	}
	conf := w.membership()
	switch {
	case w.now <= r.deadline:
	case w.orphaned():
		w.stats.Orphaned++
		w.done = true
		return
	case w.deaf(&conf):
		w.stats.Deaf++
		w.done = true
		return
	default:
		w.failRecovery(r)
		return
	}
	w.stopRemoved(&conf)
	w.restartBehind(&conf)
	if len(conf.VotersOutgoing) > 0 {
		w.leaveJoint(&conf)
	} else if w.recovered(r, &conf) {
		w.done = true
		return
	}
	w.at(w.now+5*tickTime, func() { w.recover(r) })
}

// membership returns the latest membership that was applied anywhere.
func (w *world) membership() raftpb.ConfState {
	var best *registers
	for _, m := range w.members {
		if best == nil || m.state.index > best.index {
			best = &m.state
		}
	}
	return best.conf
}

// membersOf returns all members of a membership.
func membersOf(conf *raftpb.ConfState) []uint64 {
	ids := slices.Concat(conf.Voters, conf.Learners, conf.VotersOutgoing)
	slices.Sort(ids)
	return slices.Compact(ids)
}

// quietTicks is how long those who don't vote are stopped, or not.
const quietTicks = 600

// stopRemoved stops whoever is not a member any more, as the operator of a real group does, once
// all that still are know of it. If they don't get that far, those who don't vote, and don't know
// it, may be what keeps them from it, by campaigning all the time, or what they wait for, for a
// vote. So then these are stopped and started by turns.
func (w *world) stopRemoved(conf *raftpb.ConfState) {
	ids, known := membersOf(conf), true
	for _, id := range ids {
		known = known && w.member(id).state.conf.Equivalent(conf) == nil
	}
	stay := ids
	switch quiet := (w.now/tickTime-w.shape.ticks)/quietTicks%2 == 1; {
	case known:
	case quiet:
		stay = slices.Concat(conf.Voters, conf.VotersOutgoing)
	default:
		stay = nil
	}
	for _, m := range w.members {
		switch {
		case stay != nil && !slices.Contains(stay, m.id):
			m.crash()
		case !m.up:
			m.start()
		}
	}
}

// deaf reports whether, in a world without PreVote, a member is in a later term than those who lead
// or could be elected. It does not answer candidates of earlier terms, who must get to its term one
// by one, while it may campaign itself and be as fast; nor, without CheckQuorum, their leader, who
// may never hear of its term: if it is a learner, or takes others for the voters, its campaigns
// don't reach the leader. The reference has it so too; see docs/raft.md.
func (w *world) deaf(conf *raftpb.ConfState) bool {
	if w.shape.preVote {
		return false
	}
	if lead := w.leader(); lead != nil {
		return !w.shape.checkQuorum && w.ahead(conf, lead)
	}
	return !slices.ContainsFunc(w.members, func(m *member) bool {
		return m.electable() && !w.ahead(conf, m)
	})
}

// ahead reports whether another member is in a later term than m.
func (w *world) ahead(conf *raftpb.ConfState, m *member) bool {
	return slices.ContainsFunc(membersOf(conf), func(id uint64) bool {
		return w.member(id).up && w.member(id).seen.term > m.seen.term
	})
}

// restartBehind restarts a leader now and then that some member doesn't listen to, so that it gets
// to a later term.
func (w *world) restartBehind(conf *raftpb.ConfState) {
	if lead := w.leader(); lead != nil && w.deaf(conf) && w.chance(20) {
		lead.crash()
		lead.start()
	}
}

// leaveJoint ends a joint configuration that doesn't end by itself. One that does needs an entry to
// be applied, if its leader was handing over when the last one was.
func (w *world) leaveJoint(conf *raftpb.ConfState) {
	m := w.leader()
	if m == nil || !w.chance(30) {
		return
	}
	if conf.AutoLeave {
		m.input(func() error { return m.node.Propose(command{kind: opNothing}.encode(0)) })
		return
	}
	m.input(func() error { return m.node.ProposeConfChange(raftpb.ConfChangeV2{}) })
}

// orphaned reports whether nobody can be elected, whatever happens: each voter, by the membership
// that it knows of, needs votes of members whose logs are longer than its own, and those are no
// voters any more, by the one that they know of. That comes about when a leader applies a change
// that costs it its vote, and then its leadership before others know that the change is committed.
// It follows from memberships counting when they are applied, as in the reference; see docs/raft.md.
func (w *world) orphaned() bool {
	return !slices.ContainsFunc(w.members, (*member).electable)
}

// electable reports whether the member would be elected if it alone campaigned, in a later term
// than all others.
func (m *member) electable() bool {
	if !m.up {
		return false
	}
	voters := m.node.Status().Config.Voters
	grants := func(id uint64) (bool, bool) { return m.w.member(id).grants(m), true }
	return voters.Contains(m.id) && voters.VoteResult(grants) == quorum.VoteWon
}

// grants reports whether the member's log lets it vote for another one.
func (m *member) grants(candidate *member) bool {
	mine, _ := m.log.term(m.log.last())
	theirs, _ := candidate.log.term(candidate.log.last())
	return theirs > mine || theirs == mine && candidate.log.last() >= m.log.last()
}

// recovered reports whether all members did what was asked of them, and are at one state.
func (w *world) recovered(r *recovery, conf *raftpb.ConfState) bool {
	ids := membersOf(conf)
	all := true
	for _, id := range ids {
		m := w.member(id)
		if r.asked[id] == nil {
			r.asked[id] = w.askAgain(m)
			all = false
			continue
		}
		for _, op := range r.asked[id] {
			all = all && op.over
		}
		all = all && m.up && m.state.index == w.member(ids[0]).state.index &&
			m.seen.commit == m.state.index
	}
	return all
}

// askAgain asks a member to put and to read. If it doesn't answer in time, others are asked: it may
// be one that passes nothing on.
func (w *world) askAgain(m *member) *[2]*operation {
	key := uint8(m.id % keys)
	return &[2]*operation{
		w.ask(-1, command{kind: opPut, key: key}, m, func() {}),
		w.ask(-1, command{kind: opRead, key: key}, m, func() {}),
	}
}

func (w *world) failRecovery(r *recovery) {
	conf := w.membership()
	for _, id := range membersOf(&conf) {
		m := w.member(id)
		served := r.asked[id] != nil && r.asked[id][0].over && r.asked[id][1].over
		status := "down"
		if m.up {
			status = m.node.Status().String() + " " + m.node.LogStatus().String()
		}
		w.ladder.note(w.now, m.id, fmt.Sprintf("served %t, %s", served, status))
	}
	w.fail("liveness: not at work again %d ticks after the last fault, membership %v",
		calmTicks, conf)
}
