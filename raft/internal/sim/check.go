package sim

import (
	"slices"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raft/quorum"
	"github.com/raftctl/raftctl/raftpb"
)

// position is an entry as the checks know it.
type position struct {
	term uint64
	sum  uint64 // of the contents
	prev uint64 // the term of the entry before
	conf bool   // it changes the membership
}

// chosen is an entry that was committed.
type chosen struct {
	position
	inTerm uint64 // the term in which it was
	state  uint64 // hash of the state machine after it, 0 before anyone applied it
}

// truth is what the whole group has done, by which its members are judged.
type truth struct {
	seen      [][]position // by index, the entries that any member ever had there
	committed []chosen     // by index
	leaders   []leadership // by term
	votes     []vote
}

type leadership struct {
	id   uint64
	life int
}

type vote struct{ term, voter, candidate uint64 }

// mirror is a member's log, from what Ready said.
type mirror struct {
	base    raftpb.EntryID
	entries []position
}

func (l *mirror) last() uint64 { return l.base.Index + uint64(len(l.entries)) }

// term returns the term of an entry; ok is false outside the log. What is before it is compacted.
func (l *mirror) term(index uint64) (term uint64, ok bool) {
	switch {
	case index < l.base.Index || index > l.last():
		return 0, false
	case index == l.base.Index:
		return l.base.Term, true
	}
	return l.entries[index-l.base.Index-1].term, true
}

// observed is what was last seen of a member in its present life.
type observed struct {
	term, commit uint64
	checked      uint64 // the commit index up to which entries were compared
	ledTerm      uint64 // the last term that it became leader of
}

// rememberStart takes the member's log from its disk.
func (m *member) rememberStart() {
	im := &m.disk.synced
	m.log = mirror{base: im.base}
	if index := im.snap.Metadata.Index; index > m.log.base.Index {
		m.log.base = im.snap.Metadata.ID()
	}
	for i := range im.entries {
		if im.entries[i].Index > m.log.base.Index {
			m.addToLog(&im.entries[i])
		}
	}
	status := m.node.BasicStatus()
	if status.HardState.Term < im.hard.Term {
		m.w.fail("member %d: starts in term %d, was in %d",
			m.id, status.HardState.Term, im.hard.Term)
	}
	commit := status.HardState.Commit
	m.seen = observed{term: status.HardState.Term, commit: commit, checked: m.log.base.Index}
	m.moves = nil
	m.checkCommitted(commit)
}

// addToLog adds an entry at the end, and checks log matching.
func (m *member) addToLog(e *raftpb.Entry) {
	prev, ok := m.log.term(e.Index - 1)
	if !ok || e.Index != m.log.last()+1 {
		m.w.fail("member %d: entry %d after entry %d", m.id, e.Index, m.log.last())
		return
	}
	p := position{term: e.Term, sum: entrySum(e), prev: prev, conf: e.Type != raftpb.EntryNormal}
	if p.term < prev {
		m.w.fail("member %d: entry %d of term %d after term %d", m.id, e.Index, e.Term, prev)
	}
	m.log.entries = append(m.log.entries, p)
	seen := &m.w.truth.seen
	for uint64(len(*seen)) <= e.Index {
		*seen = append(*seen, nil)
	}
	at := &(*seen)[e.Index]
	i := slices.IndexFunc(*at, func(q position) bool { return q.term == p.term })
	switch {
	case i < 0:
		*at = append(*at, p)
	case (*at)[i] != p:
		m.w.fail("log matching: member %d: entry %s with contents %x after term %d, "+
			"elsewhere %x after term %d", m.id, e.ID(), p.sum, p.prev, (*at)[i].sum, (*at)[i].prev)
	}
}

// takeReady keeps the mirror of the log, and takes the answers to reads.
func (m *member) takeReady(rd *raft.Ready) {
	if s := rd.Snapshot; s != nil {
		m.w.ladder.note(m.w.now, m.id, "restore snapshot "+s.Metadata.ID().String())
		m.checkSnapshot(s)
		m.log = mirror{base: s.Metadata.ID()}
		m.seen.checked = max(m.seen.checked, s.Metadata.Index)
	}
	if len(rd.Entries) > 0 {
		m.cutLog(rd.Entries[0].Index)
	}
	for i := range rd.Entries {
		m.addToLog(&rd.Entries[i])
		m.checkOneChange(&rd.Entries[i])
	}
	if !rd.HardState.IsEmpty() {
		m.w.mix(m.id, rd.HardState.Term, rd.HardState.Vote, rd.HardState.Commit)
	}
	m.checkCommitted(m.seen.commit)
	m.takeReads(rd.ReadStates)
}

// cutLog drops the entries from first on.
func (m *member) cutLog(first uint64) {
	switch {
	case first > m.log.last():
		return
	case first <= m.log.base.Index || first <= m.seen.checked:
		m.w.fail("member %d: entry %d replaces a committed one, commit is %d",
			m.id, first, m.seen.checked)
		return
	case m.seen.ledTerm == m.seen.term && m.leads():
		m.w.fail("leader append-only: member %d, leader of term %d, replaces entry %d",
			m.id, m.seen.term, first)
	}
	m.log.entries = slices.Clip(m.log.entries[:first-m.log.base.Index-1])
}

// look checks what can be seen of the member after a call.
func (m *member) look() {
	if !m.up || m.w.found != nil {
		return
	}
	for _, move := range m.moves {
		m.w.mix(m.w.sum, uint64(move.State), move.Term)
		m.w.ladder.move(m.w.now, m.id, move)
		switch move.State {
		case raft.StateLeader:
			m.checkElection(move.Term)
		case raft.StateCandidate, raft.StatePreCandidate:
			m.checkCampaign()
		}
	}
	m.moves = m.moves[:0]
	status := m.node.BasicStatus()
	hs := status.HardState
	switch {
	case hs.Term < m.seen.term:
		m.w.fail("member %d: term falls from %d to %d", m.id, m.seen.term, hs.Term)
	case hs.Commit < m.seen.commit:
		m.w.fail("member %d: commit falls from %d to %d", m.id, m.seen.commit, hs.Commit)
	case status.Applied > hs.Commit:
		m.w.fail("member %d: applied %d beyond commit %d", m.id, status.Applied, hs.Commit)
	}
	m.seen.term = hs.Term
	if hs.Commit > m.seen.commit {
		m.w.ladder.commit(m.w.now, m.id, hs.Commit)
		m.seen.commit = hs.Commit
		if status.SoftState.RaftState == raft.StateLeader {
			// At once, before the membership can change. With others it waits until Ready tells
			// which entries these are.
			m.checkCommitted(hs.Commit)
		}
	}
}

// checkElection checks election safety and leader completeness.
func (m *member) checkElection(term uint64) {
	m.w.stats.Elections++
	t := &m.w.truth
	for uint64(len(t.leaders)) <= term {
		t.leaders = append(t.leaders, leadership{})
	}
	me := leadership{id: m.id, life: m.life}
	if have := t.leaders[term]; have.id != 0 {
		m.w.fail("election safety: member %d becomes leader of term %d, which has %d",
			m.id, term, have.id)
	}
	t.leaders[term] = me
	m.seen.ledTerm = term
	m.w.checkVote(vote{term: term, voter: m.id, candidate: m.id})
	voters := m.node.Status().Config.Voters
	if voters.VoteResult(m.w.votesFor(m.id, term)) != quorum.VoteWon {
		m.w.fail("election: member %d becomes leader of term %d without the votes of a quorum of %s",
			m.id, term, voters)
	}
	for index := m.log.base.Index; index < uint64(len(t.committed)); index++ {
		c := &t.committed[index]
		if got, ok := m.log.term(index); c.term != 0 && c.inTerm < term && (!ok || got != c.term) {
			m.w.fail("leader completeness: member %d, leader of term %d, has term %d at index %d, "+
				"where term %d was committed in term %d", m.id, term, got, index, c.term, c.inTerm)
			return
		}
	}
}

// votesFor returns who voted for a candidate.
func (w *world) votesFor(candidate, term uint64) quorum.VoteLookup {
	return func(voter uint64) (bool, bool) {
		return slices.Contains(w.truth.votes, vote{term, voter, candidate}), true
	}
}

// checkCampaign checks that the member is a voter, and that there is no membership change that is
// committed and that it has not applied. What came in since it began to write is not looked at.
func (m *member) checkCampaign() {
	if voters := m.node.Status().Config.Voters; !voters.Contains(m.id) {
		m.w.fail("member %d campaigns, and is no voter of %s", m.id, voters)
	}
	if !m.busy {
		status := m.node.BasicStatus()
		m.checkNoChange(status.Applied, status.HardState.Commit, "campaigns")
	}
}

// checkOneChange checks that a leader proposes a membership change only when it has applied the one
// before.
func (m *member) checkOneChange(e *raftpb.Entry) {
	if e.Type == raftpb.EntryNormal || m.seen.ledTerm != e.Term {
		return
	}
	m.checkNoChange(m.node.BasicStatus().Applied, e.Index-1, "proposes a membership change")
}

// checkNoChange checks that no entry in (after, last] changes the membership.
func (m *member) checkNoChange(after, last uint64, what string) {
	for index := max(after, m.log.base.Index) + 1; index <= min(last, m.log.last()); index++ {
		if m.log.entries[index-m.log.base.Index-1].conf {
			m.w.fail("member %d %s, but has not applied the change in entry %d", m.id, what, index)
		}
	}
}

// checkVote checks that a member votes once a term.
func (w *world) checkVote(v vote) {
	for _, have := range slices.Backward(w.truth.votes) {
		if have.term == v.term && have.voter == v.voter {
			if have.candidate != v.candidate {
				w.fail("one vote a term: member %d voted for %d and %d in term %d",
					v.voter, have.candidate, v.candidate, v.term)
			}
			return
		}
	}
	w.truth.votes = append(w.truth.votes, v)
}

// checkCommitted compares the entries up to commit with what was committed elsewhere.
func (m *member) checkCommitted(commit uint64) {
	committed := &m.w.truth.committed
	for index := m.seen.checked + 1; index <= min(commit, m.log.last()); index++ {
		p := m.log.entries[index-m.log.base.Index-1]
		for uint64(len(*committed)) <= index {
			*committed = append(*committed, chosen{})
		}
		switch c := &(*committed)[index]; {
		case c.term == 0:
			*c = chosen{position: p, inTerm: m.seen.term}
			m.w.stats.Commits++
			if index == commit {
				m.checkQuorum(raftpb.EntryID{Term: p.term, Index: index})
			}
		case c.position != p:
			m.w.fail("state machine safety: member %d commits entry %d/%d, elsewhere it is %d/%d",
				m.id, p.term, index, c.term, index)
			return
		}
		m.seen.checked = index
	}
}

// checkQuorum checks that a committed entry is where it can't get lost.
func (m *member) checkQuorum(id raftpb.EntryID) {
	if !m.leads() {
		m.w.fail("member %d commits entry %s, which no leader has", m.id, id)
		return
	}
	if id.Term != m.seen.term {
		m.w.fail("commit: leader %d of term %d commits entry %s for itself", m.id, m.seen.term, id)
	}
	voters := m.node.Status().Config.Voters
	onDisk := func(voter uint64) (bool, bool) { return m.w.member(voter).disk.synced.has(id), true }
	if voters.VoteResult(onDisk) != quorum.VoteWon {
		m.w.fail("commit: leader %d commits entry %s, which is not on the disks of a quorum of %s",
			m.id, id, voters)
	}
}

// checkApply checks that an entry is the next one, committed, and on this member's disk.
func (m *member) checkApply(e *raftpb.Entry) {
	committed := m.w.truth.committed
	switch {
	case e.Index != m.state.index+1:
		m.w.fail("state machine safety: member %d applies entry %d after %d",
			m.id, e.Index, m.state.index)
	case e.Index >= uint64(len(committed)) || committed[e.Index].term == 0:
		m.w.fail("state machine safety: member %d applies entry %d, which isn't committed",
			m.id, e.Index)
	case committed[e.Index].term != e.Term || committed[e.Index].sum != entrySum(e):
		m.w.fail("state machine safety: member %d applies entry %d/%d, committed is %d/%d",
			m.id, e.Term, e.Index, committed[e.Index].term, e.Index)
	case !m.disk.synced.has(e.ID()):
		m.w.fail("member %d applies entry %s, which it doesn't have on disk", m.id, e.ID())
	}
}

// checkState compares the state with that of others at the same index.
func (m *member) checkState() {
	if m.state.index >= uint64(len(m.w.truth.committed)) || m.w.found != nil {
		return
	}
	c, sum := &m.w.truth.committed[m.state.index], m.state.sum()
	if c.state == 0 {
		c.state = sum
	}
	if c.state != sum {
		m.w.fail("state machine safety: member %d has another state after entry %d than others; "+
			"membership %v", m.id, m.state.index, m.state.conf)
	}
	m.w.mix(m.id, sum)
}

// checkSnapshot checks that a snapshot ends with a committed entry.
func (m *member) checkSnapshot(s *raftpb.Snapshot) {
	id, committed := s.Metadata.ID(), m.w.truth.committed
	if id.Index > 1 && (id.Index >= uint64(len(committed)) || committed[id.Index].term != id.Term) {
		m.w.fail("member %d restores snapshot %s, which isn't committed", m.id, id)
	}
	if state, err := decodeRegisters(s.Data); err == nil {
		a, b := state.conf, s.Metadata.ConfState
		if err := a.Equivalent(&b); err != nil {
			m.w.fail("member %d: snapshot %s: membership: %v", m.id, id, err)
		}
	}
}

// checkPromise checks that what a message promises is on the disk of its sender, or was, when the
// disk is at a later term by now: then it is as if the message had been sent earlier.
func (m *member) checkPromise(msg *raftpb.Message) {
	if msg.Type != raftpb.MsgVoteResp && msg.Type != raftpb.MsgAppResp || msg.Reject {
		return
	}
	im := &m.disk.synced
	last := max(im.last(), im.snap.Metadata.Index)
	switch {
	case im.hard.Term < msg.Term:
		m.w.fail("promise: member %d sends %v in term %d, on disk is term %d",
			m.id, msg.Type, msg.Term, im.hard.Term)
	case msg.Type == raftpb.MsgVoteResp:
		m.w.checkVote(vote{term: msg.Term, voter: m.id, candidate: msg.To})
		if im.hard.Term == msg.Term && im.hard.Vote != msg.To {
			m.w.fail("promise: member %d votes for %d in term %d, on disk is %d",
				m.id, msg.To, msg.Term, im.hard.Vote)
		}
	case im.hard.Term == msg.Term && msg.Index > last:
		m.w.fail("promise: member %d acknowledges entry %d, on disk is %d", m.id, msg.Index, last)
	case im.hard.Term == msg.Term:
		m.checkMatch(msg)
	}
}

// checkMatch checks that what a member acknowledges is what the leader has, as long as that hasn't
// gone on to a later term.
func (m *member) checkMatch(msg *raftpb.Message) {
	lead := m.w.member(msg.To)
	if lead.seen.ledTerm != msg.Term || lead.seen.term != msg.Term {
		return
	}
	theirs, ok := lead.log.term(msg.Index)
	id := raftpb.EntryID{Term: theirs, Index: msg.Index}
	if msg.Index > lead.log.last() || ok && !m.disk.synced.has(id) {
		m.w.fail("match: member %d acknowledges entry %d, where the leader has term %d",
			m.id, msg.Index, theirs)
	}
}
