package tla

import (
	"maps"
	"slices"
)

// Role is what the specification calls state.
type Role string

// The roles, as traces spell them.
const (
	follower  Role = "StateFollower"
	candidate Role = "StateCandidate"
	leader    Role = "StateLeader"
)

// entry is one of a log: of it the specification knows the term, and what membership a change of that makes.
type entry struct {
	term uint64
	conf *conf // nil: a value
}

// conf is a membership. It is not changed.
type conf struct{ voters, learners map[uint64]bool }

func (c conf) has(id uint64) bool { return c.voters[id] || c.learners[id] }

// with returns the membership after a change.
func (c conf) with(change func(voters, learners map[uint64]bool)) *conf {
	next := conf{maps.Clone(c.voters), maps.Clone(c.learners)}
	if next.voters == nil {
		next.voters = map[uint64]bool{}
	}
	if next.learners == nil {
		next.learners = map[uint64]bool{}
	}
	change(next.voters, next.learners)
	return &next
}

// quorum reports whether those that agree are a majority.
func (c conf) quorum(agrees func(id uint64) bool) bool {
	n := 0
	for id := range c.voters {
		if agrees(id) {
			n++
		}
	}
	return 2*n > len(c.voters)
}

// kind is a message's mtype, sub its msubtype.
type kind uint8

const (
	voteRequest kind = iota
	voteResponse
	appendRequest
	appendResponse
)

type sub uint8

const (
	app sub = iota
	heartbeat
	snapshot
)

// letter is a message of the specification.
type letter struct {
	kind     kind
	sub      sub
	from, to uint64
	term     uint64
	index    uint64 // mprevLogIndex, mlastLogIndex or mmatchIndex
	logTerm  uint64 // mprevLogTerm or mlastLogTerm
	entries  []entry
	commit   uint64
	ok       bool // msuccess, mvoteGranted

	at int // which message it was told by, for an explanation
}

// member is the state of a server.
type member struct {
	id            uint64
	term, vote    uint64
	role          Role
	log           []entry
	commit        uint64
	conf          conf
	responded     map[uint64]bool
	granted       map[uint64]bool
	match         map[uint64]uint64
	pendingChange uint64
	pending       []*letter // sent, but not before the next Ready
	durable       durable
}

// durable is what a restart leaves.
type durable struct {
	term, vote, commit uint64
	log                int
	conf               conf
}

func (m *member) last() uint64 { return uint64(len(m.log)) }

func (m *member) lastTerm() uint64 { return m.termAt(m.last()) }

// termAt returns the term of an entry, 0 where there is none.
func (m *member) termAt(index uint64) uint64 {
	if index == 0 || index > m.last() {
		return 0
	}
	return m.log[index-1].term
}

func (m *member) send(l letter) { m.pending = append(m.pending, &l) }

// model is the state of all servers and of the network. Its methods are the actions of the specification, by their names;
// they return false, and change nothing, where an action is not enabled.
type model struct {
	members map[uint64]*member
	net     map[uint64][]*letter // by receiver: sent, in the order of that, and not received
}

// ready is Ready: what was sent is on its way, and all is on disk.
func (x *model) ready(m *member) {
	for _, l := range m.pending {
		x.net[l.to] = append(x.net[l.to], l)
	}
	m.pending = nil
	m.durable = durable{m.term, m.vote, m.commit, len(m.log), m.conf}
}

// restart is Restart.
func (x *model) restart(m *member) {
	d := m.durable
	m.term, m.vote, m.commit, m.log, m.conf = d.term, d.vote, d.commit, slices.Clip(m.log[:min(d.log, len(m.log))]), d.conf
	m.role, m.pendingChange, m.pending = follower, 0, nil
	m.responded, m.granted, m.match = nil, nil, nil
}

// timeout is Timeout.
func (x *model) timeout(m *member) bool {
	if m.role == leader || !m.conf.voters[m.id] {
		return false
	}
	m.role, m.vote = candidate, m.id
	m.term++
	m.responded, m.granted = map[uint64]bool{}, map[uint64]bool{}
	return true
}

// requestVote is RequestVote: of another, or of itself, which has its answer at once.
func (x *model) requestVote(m *member, of uint64) bool {
	if m.role != candidate || !m.conf.has(of) || m.responded[of] {
		return false
	}
	if of == m.id {
		m.send(letter{kind: voteResponse, from: m.id, to: m.id, term: m.term, ok: true})
	} else {
		m.send(letter{kind: voteRequest, from: m.id, to: of, term: m.term, index: m.last(), logTerm: m.lastTerm()})
	}
	return true
}

// becomeLeader is BecomeLeader.
func (x *model) becomeLeader(m *member) bool {
	if m.role != candidate || !m.conf.quorum(func(id uint64) bool { return m.granted[id] }) {
		return false
	}
	m.role, m.match = leader, map[uint64]uint64{m.id: m.last()}
	return true
}

// replicate is ClientRequest.
func (x *model) replicate(m *member) bool {
	if m.role != leader {
		return false
	}
	m.log = append(m.log, entry{term: m.term})
	return true
}

// changeConf is AddNewServer, AddLearner or DeleteServer.
func (x *model) changeConf(m *member, action string, id uint64) bool {
	var next *conf
	switch {
	case m.role != leader:
		return false
	case action == addServer && !m.conf.voters[id]:
		next = m.conf.with(func(voters, _ map[uint64]bool) { voters[id] = true })
	case action == addLearner && !m.conf.has(id):
		next = m.conf.with(func(_, learners map[uint64]bool) { learners[id] = true })
	case action == removeServer && m.conf.has(id):
		next = m.conf.with(func(voters, learners map[uint64]bool) {
			delete(voters, id)
			delete(learners, id)
		})
	default:
		return false
	}
	if m.pendingChange != 0 {
		return x.replicate(m)
	}
	m.log = append(m.log, entry{m.term, next})
	m.pendingChange = m.last()
	return true
}

// applyConf is ApplySimpleConfChange: of the last change that is committed.
func (x *model) applyConf(m *member) bool {
	for k := min(m.commit, m.last()); k > 0; k-- {
		if m.log[k-1].conf == nil {
			continue
		}
		m.conf = *m.log[k-1].conf
		if m.role == leader && m.pendingChange >= k {
			m.pendingChange = 0
		}
		return true
	}
	return false
}

// agreed returns the highest index that a quorum acknowledged, 0 for none.
func (m *member) agreed() uint64 {
	var list []uint64
	for id := range m.conf.voters {
		list = append(list, m.match[id])
	}
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return min(list[(len(list)-1)/2], m.last())
}

// advanceCommit is AdvanceCommitIndex.
func (x *model) advanceCommit(m *member) bool {
	if m.role != leader {
		return false
	}
	if at := m.agreed(); at > 0 && m.termAt(at) == m.term {
		m.commit = max(m.commit, at)
	}
	return true
}

// appendEntries is AppendEntriesInRangeToPeer: entries from index+1 on, n of them.
func (x *model) appendEntries(m *member, s sub, to, index uint64, n int) bool {
	if s != app {
		index = 0
	}
	end := index + uint64(n)
	if to == m.id || m.role != leader || !m.conf.has(to) || end > m.last() {
		return false
	}
	if s == app && index < m.match[to] || s == snapshot && end > m.commit {
		return false
	}
	l := letter{kind: appendRequest, sub: s, from: m.id, to: to, term: m.term, index: index, logTerm: m.termAt(index), commit: min(m.commit, end)}
	if s == heartbeat {
		l.commit = min(m.commit, m.match[to])
	}
	l.entries = m.log[index:end:end]
	m.send(l)
	return true
}

// appendToSelf is AppendEntriesToSelf.
func (x *model) appendToSelf(m *member) bool {
	if m.role != leader {
		return false
	}
	m.send(letter{kind: appendResponse, from: m.id, to: m.id, term: m.term, ok: true, index: m.last()})
	return true
}

// becomeFollower is BecomeFollowerOfTerm.
func (m *member) becomeFollower(term uint64) {
	m.role = follower
	if m.term != term {
		m.term, m.vote = term, 0
	}
}

// stepDown is StepDownToFollower.
func (x *model) stepDown(m *member) bool {
	if m.role == follower {
		return false
	}
	m.becomeFollower(m.term)
	return true
}
