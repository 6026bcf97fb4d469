package tla

import "slices"

// receive is Receive, as often as it takes until the message is used up: by the member's term, its role, its log, and at
// last an answer or none. It returns the answer, nil for none. It is false where the specification has no way to
// take the message.
func (x *model) receive(l *letter) (answer *letter, ok bool) {
	m := x.members[l.to]
	if m == nil {
		return nil, false
	}
	if l.term > m.term {
		m.becomeFollower(l.term)
	}
	switch l.kind {
	case voteRequest:
		answer, ok = m.takeVoteRequest(l), true
	case appendRequest:
		answer, ok = m.takeAppend(l)
	case voteResponse:
		ok = true
		if l.term == m.term {
			m.takeVote(l)
		}
	case appendResponse:
		ok = true
		if l.term == m.term && l.ok && m.match != nil {
			m.match[l.from] = max(m.match[l.from], l.index)
		}
	}
	if !ok {
		return nil, false
	}
	if i := slices.Index(x.net[l.to], l); i >= 0 {
		x.net[l.to] = slices.Delete(x.net[l.to], i, i+1)
	}
	if answer != nil {
		m.pending = append(m.pending, answer)
	}
	return answer, true
}

func (m *member) takeVote(l *letter) {
	if m.responded == nil {
		m.responded, m.granted = map[uint64]bool{}, map[uint64]bool{}
	}
	m.responded[l.from] = true
	if l.ok {
		m.granted[l.from] = true
	}
}

func (m *member) takeVoteRequest(l *letter) *letter {
	upToDate := l.logTerm > m.lastTerm() || l.logTerm == m.lastTerm() && l.index >= m.last()
	grant := l.term == m.term && upToDate && (m.vote == 0 || m.vote == l.from)
	if grant {
		m.vote = l.from
	}
	return &letter{kind: voteResponse, from: m.id, to: l.from, term: m.term, ok: grant}
}

// answerAppend returns how a member answers a request to append, nil where it can't take it.
func (m *member) answerAppend(l *letter) *letter {
	answer := &letter{kind: appendResponse, sub: l.sub, from: m.id, to: l.from, term: max(m.term, l.term)}
	fits := l.index == 0 || l.index <= m.last() && l.logTerm == m.termAt(l.index)
	switch {
	case l.term == m.term && m.role == leader:
		return nil
	case l.term < m.term, !fits:
		answer.sub = app
		return answer
	}
	answer.ok, answer.index = true, l.index+uint64(len(l.entries))
	if l.index < m.commit && l.sub != heartbeat { // it has all that already
		answer.index = m.commit
	}
	return answer
}

// takeAppend is HandleAppendEntriesRequest, of a term that isn't beyond the member's.
func (m *member) takeAppend(l *letter) (*letter, bool) {
	answer := m.answerAppend(l)
	if answer == nil {
		return nil, false
	}
	if l.term == m.term {
		m.role = follower
	}
	switch {
	case !answer.ok:
	case l.index < m.commit && l.sub == heartbeat:
		m.commit = max(m.commit, l.commit)
	case l.index >= m.commit:
		m.merge(l.index+1, l.entries)
		m.commit = max(m.commit, min(l.commit, answer.index))
	}
	return answer, true
}

// merge appends entries from an index on, which is beyond what is committed, and cuts off what contradicts them.
func (m *member) merge(first uint64, entries []entry) {
	if end := first - 1 + uint64(len(entries)); end <= m.last() && !m.contradicts(first, entries) {
		return
	}
	for m.contradicts(first, entries) {
		m.log = slices.Clip(m.log[:len(m.log)-1]) // what lies behind may be part of a message
	}
	if have := m.last() + 1 - first; have < uint64(len(entries)) {
		m.log = append(m.log, entries[have:]...)
	}
}

func (m *member) contradicts(first uint64, entries []entry) bool {
	for i := range entries {
		if at := first + uint64(i); at <= m.last() && m.termAt(at) != entries[i].term {
			return true
		}
	}
	return false
}
