package sim

import (
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/raftpb"
)

// faultGap returns how long it is until the next fault.
func (w *world) faultGap() int64 { return 1 + w.upTo(2*w.shape.calm*tickTime) }

// fault has something go wrong, or the operator do something.
func (w *world) fault() {
	if w.calm {
		return
	}
	w.at(w.now+w.faultGap(), w.fault)
	m := w.anyMember()
	switch w.shape.faults[w.rand.IntN(len(w.shape.faults))] {
	case faultCrash:
		w.crash(m)
	case faultCrashMost:
		for _, m := range w.members {
			if w.chance(80) {
				w.crash(m)
			}
		}
	case faultPartition:
		w.partition()
	case faultRejoin:
		w.net.rejoin()
		w.ladder.note(w.now, 0, "network whole again")
	case faultWeather:
		w.net.weather()
	case faultStall:
		w.stall(m)
	case faultClock:
		m.changeClock()
	case faultTransfer:
		w.transfer(m)
	case faultNudge:
		w.nudge(m)
	case faultBurst:
		w.burst(m)
	case faultMembership:
		w.changeMembership()
	}
}

// stall has a disk not answer for a while. Not where reads go by lease: see staleness.
func (w *world) stall(m *member) {
	if w.shape.lease {
		return
	}
	m.stalled = w.now + w.upTo(maxStall)
	w.stats.Stall++
	w.ladder.note(w.now, m.id, "disk stalls")
}

// burst proposes many entries at once, which do nothing. A leader that was cut off gets a log that
// is much unlike the others' by it.
func (w *world) burst(m *member) {
	if lead := w.leader(); lead != nil && w.chance(50) {
		m = lead
	}
	if !m.up {
		return
	}
	n := 1 + w.rand.IntN(12)
	w.ladder.note(w.now, m.id, fmt.Sprintf("propose %d entries", n))
	for range n {
		data := command{kind: opNothing}.encode(w.rand.IntN(50))
		m.input(func() error { return m.node.Propose(data) })
	}
}

// crash crashes a member, and restarts it after a while.
func (w *world) crash(m *member) {
	if !m.up {
		return
	}
	m.crash()
	life := m.life
	w.at(w.now+1+w.upTo(20*tickTime), func() {
		if !m.up && m.life == life {
			m.start()
		}
	})
}

func (w *world) partition() {
	w.stats.Partitions++
	w.net.rejoin()
	m := w.anyMember()
	if lead := w.leader(); lead != nil && w.chance(50) {
		m = lead
	}
	switch w.rand.IntN(5) {
	case 0:
		w.net.isolate(m.id, true, true)
	case 1:
		w.net.isolate(m.id, true, false)
	case 2:
		w.net.isolate(m.id, false, true)
	case 3:
		w.net.split(w.rand.Uint64(), w.chance(25))
	case 4:
		w.net.cut[m.id][w.anyMember().id] = true
	}
	w.ladder.note(w.now, m.id, "partition")
	if w.chance(50) {
		m.after(w.upTo(10*tickTime), func() { w.burst(m) })
	}
}

func (w *world) transfer(m *member) {
	if lead := w.leader(); lead != nil && w.chance(70) {
		m = lead
	}
	if !m.up {
		return
	}
	to := w.anyMember().id
	w.stats.Transfers++
	w.ladder.note(w.now, m.id, "asked to transfer leadership")
	m.input(func() error { return m.node.TransferLeader(to) })
}

// nudge has a member campaign or forget its leader.
func (w *world) nudge(m *member) {
	switch {
	case !m.up:
	case w.chance(50):
		m.input(func() error { return m.node.Campaign() })
	default:
		m.input(func() error { return m.node.ForgetLeader() })
	}
}

// changeMembership proposes a change at the leader, or at any member.
func (w *world) changeMembership() {
	m := w.leader()
	if m == nil || w.chance(20) {
		m = w.anyMember()
	}
	if !w.shape.membership || !m.up {
		return
	}
	change := w.randomChange(&m.state.conf)
	w.ladder.note(w.now, m.id, "propose "+raftpb.DescribeConfChange(change))
	m.input(func() error { return m.node.ProposeConfChange(change) })
}

func (w *world) randomChange(cs *raftpb.ConfState) raftpb.ConfChangeI {
	if len(cs.VotersOutgoing) > 0 && w.chance(80) {
		return raftpb.ConfChangeV2{}
	}
	if w.chance(40) {
		single := w.randomStep(cs)
		return raftpb.ConfChange{Type: single.Type, NodeID: single.NodeID}
	}
	change := raftpb.ConfChangeV2{Transition: raftpb.ConfChangeTransition(w.rand.IntN(3))}
	for range 1 + w.rand.IntN(3) {
		change.Changes = append(change.Changes, w.randomStep(cs))
	}
	return change
}

// randomStep adds more often than it removes while there are few voters.
func (w *world) randomStep(cs *raftpb.ConfState) raftpb.ConfChangeSingle {
	step := raftpb.ConfChangeSingle{NodeID: w.anyMember().id}
	switch few := len(cs.Voters) < 3; {
	case slices.Contains(cs.Voters, step.NodeID) && (!few || w.chance(20)):
		step.Type = raftpb.ConfChangeRemoveNode
		if w.chance(40) {
			step.Type = raftpb.ConfChangeAddLearnerNode
		}
	case w.chance(30):
		step.Type = raftpb.ConfChangeAddLearnerNode
	case w.chance(10):
		step.Type = raftpb.ConfChangeRemoveNode
	}
	return step
}
