package check

import (
	"bytes"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/raftpb"
)

// The limits of what is remembered of heartbeats.
const (
	maxBeaten   = 1 << 9 // leaders and members in a term
	maxContexts = 1 << 8 // of each
)

// echoRule: the answer to a heartbeat carries the context of one that was sent (etcd takes it for the confirmation of
// a read).
type echoRule struct {
	*tally
	c      *Checker
	beaten *keyed[beatKey, beats]
}

type beatKey struct {
	source           string
	term, leader, to uint64
}

// beats are the heartbeats that a member was sent in a term.
type beats struct {
	contexts *keyed[string, bool]
	last     *stream.Event // with a context, else any
	settled  bool          // whatever is answered now was seen when it was sent
	gaps     int64
}

func newEchoRule(c *Checker, t *tally) judge {
	return &echoRule{t, c, newKeyed[beatKey, beats](maxBeaten)}
}

func (r *echoRule) see(m *moment) {
	switch m.Message.Type {
	case raftpb.MsgHeartbeat:
		b := r.beats(m, m.from, m.to)
		b.contexts.put(string(m.Message.Context))
		if b.last == nil || len(m.Message.Context) > 0 && !bytes.Equal(b.last.Message.Context, m.Message.Context) {
			b.last = m.keep()
		}
	case raftpb.MsgHeartbeatResp:
		r.answer(m)
	}
}

// beats returns what is known of the heartbeats from a leader to a member.
func (r *echoRule) beats(m *moment, leader, to uint64) *beats {
	b, isNew := r.beaten.put(beatKey{m.Pos.Source, m.Message.Term, leader, to})
	gaps := m.scene.gapsOf(leader, to)
	if isNew {
		l := m.scene.leaders.get(m.Message.Term)
		*b = beats{contexts: newKeyed[string, bool](maxContexts), gaps: gaps}
		if l != nil && l.leader == leader {
			f := l.follower(to)
			b.settled = f != nil && f.wholeSent
		}
	}
	if gaps != b.gaps {
		b.gaps, b.settled, b.contexts = gaps, false, newKeyed[string, bool](maxContexts)
	}
	return b
}

func (r *echoRule) answer(m *moment) {
	b := r.beats(m, m.to, m.from)
	switch context := m.Message.Context; {
	case b.contexts.get(string(context)) != nil:
		b.settled = b.settled || m.Channel == stream.ChannelMessage || m.Channel == stream.ChannelClassic
		r.ok()
	case !b.settled && !m.scene.sees(m.to, m.from):
		r.notSeen(m.scene, m.to, m.from, "heartbeats are missing")
	case !b.settled:
		r.missing(m.scene, "heartbeats are missing")
	case b.contexts.lost:
		r.cannot("the heartbeat was sent too long ago")
	default:
		r.violated(b.last, m, "member %x answers a heartbeat with context %x, which leader %x never sent it",
			m.from, context, m.to)
	}
}
