package check

import (
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/raft/quorum"
	"github.com/raftctl/raftctl/raftpb"
)

// The limits of what is remembered of reads.
const (
	maxReads   = 1 << 12 // requests
	maxConfirm = 1 << 12 // contexts of heartbeats
)

// readRule: a leader answers a read after a quorum answered heartbeats that it sent since it was asked, and with no
// less than what had been committed by then (dissertation, section 6.4).
//
// The context of such a heartbeat is new: up to etcd 3.6 it is that of the request, since 3.7 a number that grows.
type readRule struct {
	*tally
	c     *Checker
	asked *keyed[readKey, readSeen]
	sent  *keyed[contextKey, int64] // when a leader first sent a context
	heard map[uint64]bool           // who asked at all
	done  *keyed[beatKey, int64]    // when the latest context was sent that a member answered
}

type readKey struct {
	source  string
	from    uint64
	context string
}

// readSeen is a request.
type readSeen struct {
	by     *stream.Event
	at     int64
	commit uint64 // what had been told to be committed by then
	told   *stream.Event
	gaps   int64
}

type contextKey struct {
	source       string
	term, leader uint64
	context      string
}

func newReadRule(c *Checker, t *tally) judge {
	return &readRule{t, c, newKeyed[readKey, readSeen](maxReads), newKeyed[contextKey, int64](maxConfirm),
		map[uint64]bool{}, newKeyed[beatKey, int64](maxBeaten)}
}

func (r *readRule) see(m *moment) {
	switch m.Message.Type {
	case raftpb.MsgReadIndex:
		r.ask(m)
	case raftpb.MsgHeartbeat:
		if len(m.Message.Context) > 0 {
			key := contextKey{m.Pos.Source, m.Message.Term, m.from, string(m.Message.Context)}
			if at, isNew := r.sent.put(key); isNew {
				*at = m.scene.seq
			}
		}
	case raftpb.MsgHeartbeatResp:
		r.confirm(m)
	case raftpb.MsgReadIndexResp:
		r.answer(m)
	}
}

// contextOf returns what names a read; ok is false in a message without one.
func contextOf(m *raftpb.Message) (context string, ok bool) {
	if len(m.Entries) != 1 {
		return "", false
	}
	return string(m.Entries[0].Data), true
}

func (r *readRule) ask(m *moment) {
	context, ok := contextOf(m.Message)
	if !ok {
		return
	}
	if len(r.heard) < maxMembers {
		r.heard[m.from] = true
	}
	q, isNew := r.asked.put(readKey{m.Pos.Source, m.from, context})
	if isNew {
		*q = readSeen{m.keep(), m.scene.seq, m.scene.commit, m.scene.commitTold, m.scene.gaps}
	}
}

func (r *readRule) confirm(m *moment) {
	msg := m.Message
	at := r.sent.get(contextKey{m.Pos.Source, msg.Term, m.to, string(msg.Context)})
	if len(msg.Context) == 0 || at == nil {
		return
	}
	done, _ := r.done.put(beatKey{m.Pos.Source, msg.Term, m.to, m.from})
	*done = max(*done, *at)
}

func (r *readRule) answer(m *moment) {
	context, ok := contextOf(m.Message)
	if !ok {
		return
	}
	q := r.asked.get(readKey{m.Pos.Source, m.to, context})
	l := m.scene.leadershipOf(m)
	switch {
	case r.c.opts.LeaseReads:
		r.cannot("leaders may answer by lease")
	case q == nil && !r.heard[m.to]:
		r.missing(m.scene, "the request is missing")
	case q == nil || l == nil:
		r.cannot("the request is missing")
	case m.Message.Index < q.commit && !l.hears(m.to):
		r.cannot("it may have been asked for before")
	case m.Message.Index < q.commit:
		r.violated(q.told, m, "leader %x answers a read with index %d; %d was committed before it was asked for",
			m.from, m.Message.Index, q.commit)
	default:
		r.quorum(m, l, q)
	}
}

// quorum judges whether a quorum confirmed the leader.
func (r *readRule) quorum(m *moment, l *leadership, q *readSeen) {
	voters, why := m.scene.conf.voters(l, max(m.scene.commit, m.Message.Index))
	if why != "" {
		r.cannot(why)
		return
	}
	for _, unknown := range []bool{false, true} {
		confirmed := func(id uint64) (yes, voted bool) {
			done := r.done.get(beatKey{m.Pos.Source, l.term, l.leader, id})
			missing := !m.scene.sees(id, l.leader) || m.scene.gaps != q.gaps
			return id == l.leader || done != nil && *done > q.at || unknown && missing, true
		}
		for _, v := range voters {
			if v.VoteResult(confirmed) == quorum.VoteWon {
				if unknown {
					r.cannot("answers to heartbeats are missing")
				} else {
					r.ok()
				}
				return
			}
		}
	}
	r.violated(q.by, m, "leader %x answers a read that no quorum of %s confirmed since it was asked for",
		m.from, voters[len(voters)-1])
}
