package check

import (
	"time"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/raft/quorum"
	"github.com/raftctl/raftctl/raftpb"
)

// leadership is a leader in its term.
type leadership struct {
	scene  *scene
	term   uint64
	leader uint64
	// fromStart is true where all of the term was seen: the candidate asked for votes, or was in an earlier term.
	fromStart bool
	gaps      int64 // how many there had been by then
	followers map[uint64]*follower
	log       []span // ascending
	ownConf   uint64 // the index of the last membership change that it proposed, 0 for none
	told      uint64 // the highest commit index that it told
	toldBy    *stream.Event
}

// follower is what passed between a leader and one of the others in its term.
type follower struct {
	// known is true if nothing is missing of what it acknowledged: assumed stands for what came before.
	known   bool
	lost    time.Time // since when it is not
	gaps    int64     // of its answers, up to which known holds
	acked   uint64    // the highest index that it acknowledged
	ackedBy *stream.Event
	assumed uint64

	wholeSent bool  // all that was sent to it was seen, of what it may still answer
	sentGaps  int64 // up to which wholeSent holds
	since     time.Time
	sent      uint64 // the highest index that was sent
	sentBy    *stream.Event
}

// span is a stretch of a leader's log of which the term is known.
type span struct{ term, low, high uint64 }

// lead notes who leads a term. The first one who is seen to is it.
func (s *scene) lead(m *moment, leader uint64) {
	term := m.Message.Term
	l, isNew := s.leaders.put(term)
	if !isNew {
		return
	}
	*l = leadership{scene: s, term: term, leader: leader, followers: map[uint64]*follower{}, gaps: s.gaps}
	c, seen := s.asked.get(term), s.members.get(leader)
	l.fromStart = c != nil && c.candidate == leader && c.gaps == s.gaps ||
		seen != nil && seen.term < term && seen.gaps == s.gaps
	for id := range s.members.m {
		l.follower(id)
	}
}

// follower returns what is known of a member under the leader; nil for more members than are followed.
func (l *leadership) follower(id uint64) *follower {
	f := l.followers[id]
	s := l.scene
	if f == nil {
		if len(l.followers) == maxFollowers {
			return nil
		}
		seen := s.members.get(id)
		whole := l.fromStart && l.gaps == s.gaps
		// One who was in an earlier term has acknowledged nothing yet, though it may have been sent something.
		nothing := seen != nil && seen.term < l.term && seen.gaps == s.gaps
		f = &follower{
			known: whole || nothing, lost: s.now, wholeSent: whole, gaps: s.gapsOf(id, l.leader), sentGaps: s.gapsOf(l.leader, id),
		}
		l.followers[id] = f
	}
	if gaps := s.gapsOf(id, l.leader); gaps != f.gaps {
		f.known, f.lost, f.gaps = false, s.now, gaps
	}
	if gaps := s.gapsOf(l.leader, id); gaps != f.sentGaps {
		f.wholeSent, f.sentGaps, f.since = false, gaps, time.Time{}
	}
	return f
}

// hears reports whether nothing is missing of what a member says to the leader.
func (l *leadership) hears(id uint64) bool {
	f := l.follower(id)
	return f != nil && f.known
}

// sentEntries takes in a MsgApp.
func (l *leadership) sentEntries(m *moment) {
	msg := m.Message
	l.point(msg.LogTerm, msg.Index)
	for i := range msg.Entries {
		e := &msg.Entries[i]
		l.point(e.Term, e.Index)
		if e.Type != raftpb.EntryNormal && e.Term == l.term {
			l.ownConf = max(l.ownConf, e.Index)
		}
	}
	f := l.follower(m.to)
	if f == nil {
		return
	}
	if f.since.IsZero() {
		f.since = m.Time
	}
	if !f.known && m.Time.Sub(f.lost) > settled {
		// What its leader had of it by then, it does not send again.
		f.known, f.assumed = true, max(f.assumed, msg.Index)
	}
	f.reach(m, msg.Index+uint64(len(msg.Entries)))
}

func (l *leadership) sentSnapshot(m *moment) {
	if m.Message.Snapshot == nil {
		return
	}
	id := m.Message.Snapshot.Metadata.ID()
	l.point(id.Term, id.Index)
	if f := l.follower(m.to); f != nil {
		f.reach(m, id.Index)
	}
}

func (f *follower) reach(m *moment, index uint64) {
	if f.sentBy == nil || index > f.sent {
		f.sent, f.sentBy = index, m.keep()
	}
}

// settled is after what time nothing is under way any more that was sent before.
const settled = 5 * time.Second

// ack takes in an acknowledgement. On a stream it comes after those of what was sent before.
func (l *leadership) ack(m *moment, index uint64) {
	f := l.follower(m.from)
	if f == nil {
		return
	}
	if index == f.sent && m.Channel == stream.ChannelMessage && !f.since.IsZero() && m.Time.Sub(f.since) > settled {
		f.wholeSent = true
	}
	if index > f.acked {
		f.acked, f.ackedBy = index, m.keep()
	}
}

// maxSpans is how many terms of a leader's log are remembered, the last ones.
const maxSpans = 64

// point notes the term of an index of the leader's log.
func (l *leadership) point(term, index uint64) {
	if term == 0 || index == 0 {
		return
	}
	i := len(l.log)
	for i > 0 && l.log[i-1].term > term {
		i--
	}
	if i > 0 && l.log[i-1].term == term {
		s := &l.log[i-1]
		s.low, s.high = min(s.low, index), max(s.high, index)
		return
	}
	l.log = append(l.log, span{})
	copy(l.log[i+1:], l.log[i:])
	l.log[i] = span{term, index, index}
	if len(l.log) > maxSpans {
		l.log = l.log[1:]
	}
}

// termAt returns the term of an index of the leader's log; ok is false where it isn't known.
func (l *leadership) termAt(index uint64) (term uint64, ok bool) {
	for i := len(l.log) - 1; i >= 0; i-- {
		if s := &l.log[i]; s.low <= index && index <= s.high {
			return s.term, true
		}
	}
	return 0, false
}

// trust says how much of what is not seen counts.
type trust int

const (
	onlySeen    trust = iota
	withBefore        // what may have been before the evidence began
	withUnknown       // anything where something is missing
)

// ackedView is a leadership as the quorum's arithmetic asks it.
type ackedView struct {
	l     *leadership
	trust trust
}

// AckedIndex returns how far a member acknowledged. The leader's own disk is not seen: it counts as fast enough.
func (v ackedView) AckedIndex(id uint64) (quorum.Index, bool) {
	if id == v.l.leader {
		return quorum.Unbounded, true
	}
	f := v.l.follower(id)
	seen := f != nil && v.l.scene.sees(id, v.l.leader)
	switch {
	case v.trust == withUnknown && (!seen || !f.known), v.trust == withBefore && seen && !f.known && v.l.scene.gaps == 0:
		return quorum.Unbounded, true
	case f == nil:
		return 0, false
	case v.trust == onlySeen:
		return quorum.Index(f.acked), true
	}
	return quorum.Index(max(f.acked, f.assumed)), true
}

// mayCommit reports whether the leader may have committed an index, by the acknowledgements that count. Only what is
// of its own term is committed by counting; what is before is committed with it.
func (l *leadership) mayCommit(index uint64, voters []quorum.Joint, t trust) bool {
	for _, v := range voters {
		q := uint64(v.CommittedIndex(ackedView{l, t}))
		if q >= index && l.own(q, t) {
			return true
		}
	}
	return false
}

// own reports whether an index of the leader's log may be of its term.
func (l *leadership) own(index uint64, t trust) bool {
	for i := range l.log {
		switch s := &l.log[i]; {
		case s.term == l.term:
			if index >= s.low {
				return true
			}
		case index <= s.high:
			return false
		}
	}
	return t != onlySeen // between what is known
}
