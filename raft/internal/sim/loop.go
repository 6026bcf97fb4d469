package sim

import (
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
)

// maxStall is how long a disk may stall, at most.
const maxStall = 25 * tickTime

// writeTime returns how long a write takes now.
func (m *member) writeTime() int64 {
	return max(0, m.stalled-m.w.now) + m.w.upTo(m.w.shape.writeTime)
}

// keep puts what was handed out where the core reads it, and writes it to the disk.
func (m *member) keep(s *raftpb.Snapshot, hs raftpb.HardState, entries []raftpb.Entry) {
	var err error
	if s != nil {
		err = m.store.ApplySnapshot(*s)
	}
	if err == nil && !hs.IsEmpty() {
		err = m.store.SetHardState(hs)
	}
	if err == nil {
		err = m.store.Append(entries)
	}
	if err != nil {
		m.w.fail("member %d: store: %v", m.id, err)
	}
	m.disk.save(s, hs, entries)
}

// write is the synchronous loop from Ready to Advance.
func (m *member) write(rd *raft.Ready) {
	messages := slices.Clone(rd.Messages)
	m.keep(rd.Snapshot, rd.HardState, rd.Entries)
	if m.w.shape.earlySend && m.leads() {
		m.send(messages)
		messages = nil
	}
	sync := rd.MustSync || rd.Snapshot != nil
	finish := func() {
		if sync {
			m.disk.sync()
		}
		m.send(messages)
		m.install(rd.Snapshot)
		m.apply(rd.CommittedEntries)
		m.call(func() error { return m.node.Advance(*rd) })
	}
	if !sync {
		finish()
		return
	}
	m.busy = true
	m.after(m.writeTime(), func() {
		finish()
		m.busy = false
		later := m.later
		m.later = nil
		for _, do := range later {
			do()
		}
		m.work()
	})
}

// giveOut is the asynchronous loop: messages are sent at once, or given to the threads. Requests for
// votes are sent when what was handed out with them is on disk, see vote_test.go.
func (m *member) giveOut(rd *raft.Ready) {
	var votes []raftpb.Message
	for _, msg := range rd.Messages {
		switch {
		case msg.To == raft.LocalAppendThread:
			msg.Responses = slices.Concat(votes, msg.Responses)
			votes = nil
			m.appends = append(m.appends, msg)
		case msg.To == raft.LocalApplyThread:
			m.applies = append(m.applies, msg)
		case msg.Type == raftpb.MsgVote:
			votes = append(votes, msg)
		default:
			m.send([]raftpb.Message{msg})
		}
	}
	if len(votes) > 0 {
		m.w.fail("member %d campaigns and has nothing to store", m.id)
	}
	m.workAppends()
	m.workApplies()
}

// maxQueued is the number of writes from which on the thread takes all that wait at once, so that
// the slowest disk keeps up.
const maxQueued = 4

// workAppends is the thread that writes the log: it writes some of what waits, syncs if somebody
// waits for that, and answers.
func (m *member) workAppends() {
	if m.appending || len(m.appends) == 0 {
		return
	}
	m.appending = true
	m.after(m.w.upTo(m.w.shape.writeTime), func() {
		n := len(m.appends)
		if n <= maxQueued {
			n = 1 + m.w.rand.IntN(n)
		}
		batch := m.appends[:n]
		m.appends = m.appends[n:]
		sync := false
		for i := range batch {
			msg := &batch[i]
			hs := raftpb.HardState{Term: msg.Term, Vote: msg.Vote, Commit: msg.Commit}
			m.keep(msg.Snapshot, hs, msg.Entries)
			sync = sync || len(msg.Responses) > 0 || msg.Snapshot != nil
		}
		if !sync {
			m.endAppends(batch)
			return
		}
		m.after(m.writeTime(), func() {
			m.disk.sync()
			m.endAppends(batch)
		})
	})
}

// endAppends answers what is written.
func (m *member) endAppends(batch []raftpb.Message) {
	m.appending = false
	for i := range batch {
		m.install(batch[i].Snapshot)
		m.respond(batch[i].Responses)
	}
	m.workAppends()
}

// workApplies is the thread that applies.
func (m *member) workApplies() {
	if m.applying || len(m.applies) == 0 {
		return
	}
	m.applying = true
	m.after(m.w.upTo(m.w.shape.writeTime), func() {
		msg := m.applies[0]
		m.applies = m.applies[1:]
		m.applying = false
		m.apply(msg.Entries)
		m.respond(msg.Responses)
		m.workApplies()
	})
}

// respond delivers what a thread was given to deliver.
func (m *member) respond(responses []raftpb.Message) {
	for _, msg := range responses {
		if msg.To != m.id {
			m.send([]raftpb.Message{msg})
			continue
		}
		m.call(func() error { return m.node.Step(msg) })
	}
	m.work()
}

// install makes a snapshot the state.
func (m *member) install(s *raftpb.Snapshot) {
	if s == nil || m.w.found != nil {
		return
	}
	m.w.stats.Snapshots++
	state, err := decodeRegisters(s.Data)
	if err != nil || state.index != s.Metadata.Index {
		m.w.fail("member %d: snapshot %d with state of %d: %v",
			m.id, s.Metadata.Index, state.index, err)
		return
	}
	m.state, m.saved = state, state
	m.checkState()
	m.answerReads()
}

// apply applies committed entries. Not those before a snapshot that the core has taken over: their
// membership changes would be made twice.
func (m *member) apply(entries []raftpb.Entry) {
	for i := range entries {
		e := &entries[i]
		if e.Index <= m.restored || m.w.found != nil {
			continue
		}
		m.checkApply(e)
		if err := m.applyEntry(e); err != nil {
			m.w.fail("member %d: apply entry %d: %v", m.id, e.Index, err)
			return
		}
		m.checkState()
	}
	if len(entries) == 0 || m.w.found != nil {
		return
	}
	if m.w.shape.diskState && m.w.chance(50) {
		m.saved = m.state
	}
	m.answerReads()
	m.compact()
}

func (m *member) applyEntry(e *raftpb.Entry) error {
	m.state.index = e.Index
	m.state.history = m.state.history*31 + entrySum(e)
	if e.Type != raftpb.EntryNormal {
		return m.applyConfChange(e)
	}
	if len(e.Data) == 0 {
		return nil
	}
	c, err := decodeCommand(e.Data)
	if err != nil {
		return err
	}
	if c.kind != opNothing {
		m.answer(c.id, m.state.apply(c))
	}
	return nil
}

func (m *member) applyConfChange(e *raftpb.Entry) error {
	change, err := decodeChange(e)
	if err != nil {
		return err
	}
	var cs raftpb.ConfState
	m.call(func() error {
		cs, err = m.node.ApplyConfChange(change)
		return nil
	})
	if err != nil {
		// Impossible here, and so on all members: no voter would be left.
		m.w.ladder.note(m.w.now, m.id, "refuse "+raftpb.DescribeConfChange(change))
		return nil
	}
	m.state.conf = sortedConf(cs)
	m.w.stats.ConfChanges++
	if m.w.shape.stepDown && m.leads() && !slices.Contains(membersOf(&cs), m.id) {
		m.w.fail("member %d leads on after its removal", m.id)
	}
	m.w.ladder.note(m.w.now, m.id, "apply "+raftpb.DescribeConfChange(change))
	return nil
}

func decodeChange(e *raftpb.Entry) (raftpb.ConfChangeV2, error) {
	var v1 raftpb.ConfChange
	var v2 raftpb.ConfChangeV2
	switch e.Type {
	case raftpb.EntryConfChange:
		err := v1.Unmarshal(e.Data)
		return v1.AsV2(), err
	case raftpb.EntryConfChangeV2:
		err := v2.Unmarshal(e.Data)
		return v2, err
	}
	return v2, fmt.Errorf("entry of type %v", e.Type)
}

// compact takes a snapshot from time to time, and drops most entries before it. It also takes one
// after each membership change: a new member has no use for one from before it was taken in.
func (m *member) compact() {
	have, _ := m.store.Snapshot()
	index := m.state.index
	due := index >= have.Metadata.Index+m.w.shape.snapEvery
	if index < m.restored || index == have.Metadata.Index ||
		!due && have.Metadata.ConfState.Equivalent(&m.state.conf) == nil {
		return
	}
	snap, err := m.store.CreateSnapshot(index, &m.state.conf, m.state.encode())
	if err != nil {
		m.w.fail("member %d: create snapshot: %v", m.id, err)
		return
	}
	taken := write{take: &snap}
	if due {
		first, _ := m.store.FirstIndex()
		taken.keep = max(first, index-uint64(m.w.rand.IntN(int(m.w.shape.snapEvery))))
		if err := m.store.Compact(taken.keep); err != nil {
			m.w.fail("member %d: compact to %d: %v", m.id, taken.keep, err)
		}
	}
	m.saved = m.state
	m.disk.written = append(m.disk.written, taken)
	m.disk.sync()
}
