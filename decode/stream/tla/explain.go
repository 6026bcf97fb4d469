package tla

import (
	"bufio"
	"slices"

	"github.com/raftctl/raftctl/raftpb"
)

// explanation is a run of the specification that explains messages, as far as it got.
type explanation struct {
	model
	ids    []uint64 // of the members, in ascending order
	at     int      // which message is explained
	bounds map[follows][]bound
	said   []said
	done   []bool
	out    *bufio.Writer
	sum    Summary
	buf    []byte
}

// write writes an event of a member, in the state that it has.
func (x *explanation) write(what string, m *member, msg *message, p *property) {
	e := eventOf(what, m)
	e.Msg, e.Prop = msg, p
	x.writeEvent(e)
}

func (x *explanation) writeEvent(e event) {
	l := line{tag, firstN + x.sum.Events, e}
	x.sum.Events++
	x.buf = l.append(x.buf[:0])
	_, _ = x.out.Write(x.buf) // Flush tells the error
}

// next explains a message, unless that is done.
func (x *explanation) next(i int) {
	if x.done[i] {
		return
	}
	x.done[i], x.at = true, i
	s := &x.said[i]
	x.sum.Messages++
	why := x.explain(s)
	if why == whyCommit {
		for _, k := range x.heldBack(i) {
			x.next(k)
		}
		x.at = i
		why = x.explain(s)
	}
	if why != "" {
		if x.sum.LeftOut++; x.sum.LeftOut == 1 {
			x.sum.First, x.sum.Why = s.pos, why
		}
	}
}

// ahead is how many messages on it is looked for those that were sent before.
const ahead = 64

// overtaken returns messages that a leader sent before one that tells of a new commit index, though they were seen after it: those
// to others that tell less than they could by then. Each connection is written by itself.
func (x *explanation) overtaken(i int) (list []int) {
	s := &x.said[i]
	if m := x.members[s.from]; s.typ != raftpb.MsgApp && s.typ != raftpb.MsgHeartbeat || s.commit <= m.commit {
		return nil
	}
	later := map[uint64]bool{s.to: true}
	for k := i + 1; k < min(len(x.said), i+ahead); k++ {
		o := &x.said[k]
		if o.from != s.from || o.term != s.term || o.typ != raftpb.MsgApp || x.done[k] {
			continue
		}
		if end := o.index + uint64(len(o.entries)); !later[o.to] && o.commit < min(s.commit, end) {
			list = append(list, k)
			continue
		}
		later[o.to] = true
	}
	return list
}

// heldBack returns heartbeats that a leader sent before a message that tells of a new commit index, though they were seen after it, on
// another connection: those that tell of the one before.
func (x *explanation) heldBack(i int) (list []int) {
	s := &x.said[i]
	m := x.members[s.from]
	for k := i + 1; k < min(len(x.said), i+ahead); k++ {
		o := &x.said[k]
		if o.from == s.from && o.term == s.term && o.typ == raftpb.MsgHeartbeat && o.conn != s.conn && o.commit == m.commit && m.commit < s.commit && !x.done[k] {
			list = append(list, k)
		}
	}
	return list
}

// explain takes a message, and says why it can't be explained, or "".
func (x *explanation) explain(s *said) string {
	m, to := x.members[s.from], x.members[s.to]
	switch s.typ {
	case raftpb.MsgVote:
		return x.campaigns(m, s)
	case raftpb.MsgApp, raftpb.MsgHeartbeat, raftpb.MsgSnap:
		return x.leads(m, s)
	case raftpb.MsgVoteResp:
		return x.answers(m, to, s, voteRequest)
	}
	return x.answers(m, to, s, appendRequest)
}

// The reasons why a message is left out.
const (
	whyTerm      = "the sender's term is not one that it can be in"
	whyVotes     = "the sender leads, and no quorum is seen to have voted for it"
	whyLog       = "the sender's log is not what it was seen to be"
	whyCommit    = "it is not seen how the commit index came to be that"
	whyMember    = "the sender has no such member"
	whyNoRequest = "nothing was seen that it answers so"
)

// ready has what a member sent go out. What nobody will be shown to receive is forgotten.
func (x *explanation) ready(m *member) {
	m.pending = slices.DeleteFunc(m.pending, func(l *letter) bool { return l.kind == appendResponse && (l.sub != app || !l.ok) })
	x.model.ready(m)
	x.write(readyEvent, m, nil, nil)
}

// deliver has a message received, by whom it is meant for.
func (x *explanation) deliver(l *letter) {
	m := x.members[l.to]
	before := eventOf(receiving[l.kind], m)
	if _, ok := x.receive(l); !ok {
		return
	}
	before.Msg = messageOf(l)
	x.writeEvent(before)
}

// sent writes that a member sent what it has sent last.
func (x *explanation) sent(m *member) {
	l := m.pending[len(m.pending)-1]
	x.write(sending[l.kind], m, messageOf(l), nil)
}

// waiting returns the messages to a member that it may receive, the oldest first. What their senders hold goes out
// first.
func (x *explanation) waiting(to *member, fits func(*letter) bool) (list []*letter) {
	for _, id := range x.ids {
		m := x.members[id]
		if slices.ContainsFunc(m.pending, func(l *letter) bool { return l.to == to.id && fits(l) }) {
			x.ready(m)
		}
	}
	for _, l := range x.net[to.id] {
		if fits(l) {
			list = append(list, l)
		}
	}
	return list
}

// campaigns explains a request for a vote.
func (x *explanation) campaigns(m *member, s *said) string {
	if m.role != candidate || m.term != s.term {
		if why := x.begins(m, s.term); why != "" {
			return why
		}
	}
	if m.last() != s.index || m.lastTerm() != s.logTerm {
		return whyLog
	}
	if !m.conf.has(s.to) {
		x.applies(m)
	}
	if !x.requestVote(m, s.to) {
		return whyMember
	}
	x.sent(m)
	return ""
}

// begins has a member begin a campaign for a term.
func (x *explanation) begins(m *member, term uint64) string {
	if term <= m.term {
		return whyTerm
	}
	x.learnsTerm(m, term-1)
	if !m.conf.voters[m.id] {
		x.applies(m)
	}
	if !m.conf.voters[m.id] || term > m.term+maxSkipped {
		return whyTerm
	}
	if m.role == leader {
		x.stepDown(m)
		x.write(becomeFollower, m, nil, nil)
	}
	for m.term < term { // campaigns of which nothing was seen, too
		x.timeout(m)
		x.write(becomeCandidate, m, nil, nil)
	}
	x.requestVote(m, m.id)
	x.sent(m)
	x.ready(m)
	x.takes(m, func(l *letter) bool { return l.kind == voteResponse && l.from == m.id && l.term == term })
	return ""
}

// maxSkipped is how many campaigns may be missing.
const maxSkipped = 16

// learnsTerm has a member take a message of a term, if there is one.
func (x *explanation) learnsTerm(m *member, term uint64) {
	if m.term >= term {
		return
	}
	list := x.waiting(m, func(l *letter) bool { return l.term == term })
	if len(list) > 0 {
		x.deliver(list[0])
	}
}

// takes has a member receive all messages that fit.
func (x *explanation) takes(m *member, fits func(*letter) bool) {
	for _, l := range x.waiting(m, fits) {
		x.deliver(l)
	}
}

// applies has a member apply the last change of the membership that it knows to be committed, if that changes anything.
func (x *explanation) applies(m *member) {
	before := eventOf(applyConf, m)
	if !x.applyConf(m) {
		return
	}
	before.Prop = &property{change{NewConf: names(m.conf.voters)}}
	x.writeEvent(before)
}

// leads explains what a leader sends.
func (x *explanation) leads(m *member, s *said) string {
	if m.role != leader || m.term != s.term {
		if why := x.wins(m, s.term); why != "" {
			return why
		}
	}
	if why := x.appends(m, s); why != "" {
		return why
	}
	if !m.conf.has(s.to) {
		x.commits(m, m.pendingChange)
		x.applies(m)
	}
	if !m.conf.has(s.to) {
		return whyMember
	}
	switch s.typ {
	case raftpb.MsgHeartbeat:
		return x.beats(m, s)
	case raftpb.MsgSnap:
		if x.commits(m, s.index); !x.appendEntries(m, snapshot, s.to, 0, int(s.index)) {
			return whyCommit
		}
		x.sent(m)
		return ""
	}
	if s.commit > m.commit {
		x.commits(m, s.commit)
	}
	end := s.index + uint64(len(s.entries))
	switch {
	case s.index > m.last() || m.termAt(s.index) != s.logTerm || s.index < m.match[s.to] || end > m.last():
		return whyLog
	case min(m.commit, end) != s.commit:
		return whyCommit
	}
	x.appendEntries(m, app, s.to, s.index, len(s.entries))
	x.sent(m)
	return ""
}

// wins has a candidate take the votes that it needs.
func (x *explanation) wins(m *member, term uint64) string {
	if m.role != candidate || m.term != term {
		return whyVotes
	}
	for _, l := range x.waiting(m, func(l *letter) bool { return l.kind == voteResponse && l.term == term && l.ok }) {
		if m.conf.quorum(func(id uint64) bool { return m.granted[id] }) {
			break
		}
		x.deliver(l)
	}
	if !x.becomeLeader(m) {
		return whyVotes
	}
	x.write(becomeLeader, m, nil, nil)
	return ""
}

// appends has a leader append the entries that a message shows it to have.
func (x *explanation) appends(m *member, s *said) string {
	for i, e := range s.entries {
		at := s.index + uint64(i) + 1
		switch {
		case at <= m.last() && m.termAt(at) == e.term:
			continue
		case at != m.last()+1 || e.term != m.term:
			return whyLog
		}
		if !x.appendsOne(m, e) {
			return whyMember
		}
		x.appendToSelf(m)
		x.sent(m)
	}
	return ""
}

// appendsOne has a leader append an entry.
func (x *explanation) appendsOne(m *member, e saidEntry) bool {
	if e.action == "" {
		x.replicate(m)
		x.write(replicate, m, nil, nil)
		return true
	}
	if m.pendingChange != 0 {
		x.commits(m, m.pendingChange)
		x.applies(m)
	}
	before := eventOf(changeConf, m)
	if m.pendingChange != 0 || !x.changeConf(m, e.action, e.id) {
		if m.pendingChange != 0 {
			return false
		}
		x.replicate(m) // a change that changes nothing, as of addresses
		x.write(replicate, m, nil, nil)
		return true
	}
	before.Prop = &property{change{Changes: []singleChange{{name(e.id), e.action}}}}
	x.writeEvent(before)
	return true
}

// commits has a leader take acknowledgements, in the order in which they were given, until it has committed up to an
// index, or there are no more.
func (x *explanation) commits(m *member, index uint64) {
	if m.commit >= index || m.role != leader {
		return
	}
	isAck := func(l *letter) bool {
		return l.kind == appendResponse && l.sub == app && l.ok && l.term == m.term && l.index > m.match[l.from]
	}
	for m.agreed() < index {
		list := x.waiting(m, func(l *letter) bool { return isAck(l) && x.mayBeTaken(l) })
		if len(list) == 0 {
			break
		}
		next := list[0]
		if own := slices.IndexFunc(list, func(l *letter) bool { return l.from == m.id }); own >= 0 && m.match[m.id] < index {
			next = list[own]
		} else if i := slices.IndexFunc(list, func(l *letter) bool { return l.from != m.id }); i >= 0 {
			next = list[i]
		}
		x.deliver(next)
	}
	if at := m.agreed(); at > m.commit && m.termAt(at) == m.term {
		x.advanceCommit(m)
		x.write(commitEvent, m, nil, nil)
	}
}

// beats explains a heartbeat: its receiver acknowledged what it tells to be committed.
func (x *explanation) beats(m *member, s *said) string {
	for m.match[s.to] < s.commit {
		list := x.waiting(m, func(l *letter) bool {
			return l.kind == appendResponse && l.sub == app && l.ok && l.from == s.to && l.term == m.term && l.index > m.match[l.from]
		})
		if len(list) == 0 {
			return whyCommit
		}
		x.deliver(list[0])
	}
	x.commits(m, s.commit)
	if min(m.commit, m.match[s.to]) != s.commit {
		return whyCommit
	}
	x.appendEntries(m, heartbeat, s.to, 0, 0)
	x.sent(m)
	return ""
}

// answers explains an answer: its sender received the oldest request to which it is the answer.
func (x *explanation) answers(m, to *member, s *said, k kind) string {
	want := app
	if s.typ == raftpb.MsgHeartbeatResp {
		want = heartbeat
	}
	list := x.waiting(m, func(l *letter) bool {
		return l.kind == k && l.from == s.to && l.term <= s.term && (k == voteRequest || (l.sub == heartbeat) == (want == heartbeat))
	})
	at := slices.IndexFunc(list, func(l *letter) bool { return wouldAnswer(m, l, s) })
	if at < 0 && k == appendRequest {
		at = x.catchesUp(m, list, s)
	}
	if at < 0 {
		return whyNoRequest
	}
	x.deliver(list[at])
	m.pending[len(m.pending)-1].at = x.at
	x.sent(m)
	return ""
}

// catchesUp has a member receive requests that it did not answer, since etcd sends only the last of several answers, up to one
// which it then would answer as it was seen to. It returns which, or -1, without any being received.
func (x *explanation) catchesUp(m *member, list []*letter, s *said) int {
	twin := *m
	twin.log = slices.Clip(twin.log)
	for i, l := range list {
		if wouldAnswer(&twin, l, s) {
			for _, l := range list[:i] {
				held := len(m.pending)
				x.deliver(l)
				m.pending = m.pending[:held]
			}
			return i
		}
		if l.term > twin.term {
			twin.becomeFollower(l.term)
		}
		_, _ = twin.takeAppend(l) // what it can't take, it doesn't
	}
	return -1
}

// wouldAnswer reports whether a member that received a request now would answer as it was seen to.
func wouldAnswer(m *member, l *letter, s *said) bool {
	if l.kind == voteRequest {
		twin := *m
		if l.term > twin.term {
			twin.becomeFollower(l.term)
		}
		a := twin.takeVoteRequest(l)
		return a.term == s.term && a.ok != s.reject
	}
	a := m.answerAppend(l)
	if a == nil || a.term != s.term || a.ok == s.reject {
		return false
	}
	if s.reject { // it tells what it refused
		return l.index == s.index
	}
	return l.sub == heartbeat || a.index == s.index
}
