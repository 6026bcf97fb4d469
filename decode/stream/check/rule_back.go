package check

import (
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/raftpb"
)

// maxConns is how many connections are remembered.
const maxConns = 1 << 12

// connKey names a direction of a connection.
type connKey struct {
	source   string
	from, to uint64
	conn     uint64
	channel  stream.Channel
}

func (m *moment) connKey() connKey {
	return connKey{m.Pos.Source, m.from, m.to, m.Conn, m.Channel}
}

// termRule: a member's term never goes back. Its messages leave in the order in which it made them, but that promises
// wait for the disk: others overtake them. Requests for votes may wait too.
type termRule struct {
	*tally
	conns *keyed[connKey, termsSeen]
}

// termsSeen is the last term of what is sent at once and of promises.
type termsSeen struct {
	at [2]struct {
		term uint64
		by   *stream.Event
	}
}

func newTermRule(_ *Checker, t *tally) judge {
	return &termRule{t, newKeyed[connKey, termsSeen](maxConns)}
}

func (r *termRule) see(m *moment) {
	term, ok := termOf(m.Message)
	if !ok || !inOrder(m.Channel) {
		return
	}
	have, isNew := r.conns.put(m.connKey())
	kind := 0
	if isPromise(m.Message.Type) {
		kind = 1
	}
	last := &have.at[1]
	if kind == 0 && m.Message.Type != raftpb.MsgVote && have.at[0].term > last.term {
		last = &have.at[0]
	}
	if term < last.term {
		r.violated(last.by, m, "member %x tells term %d, and had told %d", m.from, term, last.term)
		return
	}
	if !isNew {
		r.ok()
	}
	if mine := &have.at[kind]; term > mine.term {
		mine.term, mine.by = term, m.keep()
	}
}

// commitRule: a leader's commit index never goes back in its term. In heartbeats it is limited by what the follower
// has, which begins anew at 0 where a change of the membership removes and adds one: they don't count after a change,
// nor do those that tell 0, where no change was seen.
type commitRule struct {
	*tally
	conns   *keyed[commitKey, commitSeen]
	changed *keyed[uint64, bool] // terms with a change of the membership
}

type commitKey struct {
	connKey
	term uint64
	kind raftpb.MessageType
}

type commitSeen struct {
	commit uint64
	by     *stream.Event
}

func newCommitRule(_ *Checker, t *tally) judge {
	return &commitRule{t, newKeyed[commitKey, commitSeen](maxConns), newKeyed[uint64, bool](maxTerms)}
}

func (r *commitRule) see(m *moment) {
	msg := m.Message
	switch msg.Type {
	case raftpb.MsgApp:
		for i := range msg.Entries {
			if msg.Entries[i].Type != raftpb.EntryNormal {
				r.changed.put(msg.Term)
			}
		}
	case raftpb.MsgHeartbeat:
		if r.changed.get(msg.Term) != nil {
			return
		}
	default:
		return
	}
	if !inOrder(m.Channel) || msg.Term == 0 {
		return
	}
	have, isNew := r.conns.put(commitKey{m.connKey(), msg.Term, msg.Type})
	isNew = isNew || msg.Type == raftpb.MsgHeartbeat && msg.Commit == 0
	if !isNew && msg.Commit < have.commit {
		r.violated(have.by, m, "leader %x tells member %x commit index %d, and had told %d",
			m.from, m.to, msg.Commit, have.commit)
		return
	}
	if !isNew {
		r.ok()
	}
	if isNew || msg.Commit > have.commit {
		have.commit, have.by = msg.Commit, m.keep()
	}
}
