package check

import (
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/raftpb"
)

// stretch is a range of indexes that are known to be committed, with the term of their entries.
type stretch struct {
	span
	inTerm uint64 // the leader's term who told so
	by     *stream.Event
}

// maxStretches is how many stretches are remembered, the last ones.
const maxStretches = 256

// commits notes what a leader tells to be committed: as much as its log is known.
func (s *scene) commits(m *moment, l *leadership, commit uint64) {
	term, ok := l.termAt(commit)
	if !ok {
		return
	}
	low := commit
	for i := range l.log {
		if l.log[i].term == term {
			low = l.log[i].low
		}
	}
	if n := len(s.committed); n > 0 {
		last := &s.committed[n-1]
		switch {
		case commit <= last.high:
			return
		case last.term == term && last.inTerm == l.term:
			last.high = commit
			return
		}
		low = max(low, last.high+1)
	}
	s.committed = append(s.committed, stretch{span{term, low, commit}, l.term, m.keep()})
	if len(s.committed) > maxStretches {
		s.committed = s.committed[1:]
	}
}

// staysRule: a leader of a later term has all that was committed (leader completeness, section 5.4).
type staysRule struct{ *tally }

func newStaysRule(_ *Checker, t *tally) judge { return &staysRule{t} }

func (r *staysRule) see(m *moment) {
	msg := m.Message
	if msg.Type != raftpb.MsgApp || msg.Term == 0 {
		return
	}
	if !r.holds(m, raftpb.EntryID{Term: msg.LogTerm, Index: msg.Index}) {
		return
	}
	for i := range msg.Entries {
		if !r.holds(m, msg.Entries[i].ID()) {
			return
		}
	}
}

// holds holds an entry of a leader's log against what was committed in earlier terms.
func (r *staysRule) holds(m *moment, id raftpb.EntryID) bool {
	list := m.scene.committed
	for i := len(list) - 1; i >= 0; i-- {
		x := &list[i]
		if x.high < id.Index {
			return true
		}
		if id.Index < x.low || x.inTerm >= m.Message.Term {
			continue
		}
		if x.term != id.Term {
			r.violated(x.by, m, "the leader of term %d has entry %s; at that index one of term %d was committed",
				m.Message.Term, id, x.term)
			return false
		}
		r.ok()
		return true
	}
	return true
}
