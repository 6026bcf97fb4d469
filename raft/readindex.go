package raft

import (
	"encoding/binary"

	"github.com/raftctl/raftctl/raft/quorum"
	"github.com/raftctl/raftctl/raftpb"
)

// readQueue holds the reads that wait for a quorum to say that the leader still is one
// (dissertation, section 6.4). Reads are numbered as they come. A heartbeat carries the number of
// the last, and its answer, by bringing the number back, confirms all up to it: each number is used
// once, so an old answer can't be taken for one to a newer read.
type readQueue struct {
	option    ReadOnlyOption
	confirmed uint64 // the number of the last read that was confirmed
	waiting   []waitingRead
	acks      []readAck
}

// waitingRead is a read and the commit index when it came.
type waitingRead struct {
	request raftpb.Message
	index   uint64
}

// readAck is the highest number that a member brought back.
type readAck struct{ id, number uint64 }

// reset forgets all reads: the next leader must be asked.
func (q *readQueue) reset() {
	clear(q.waiting)
	q.confirmed, q.waiting, q.acks = 0, q.waiting[:0], q.acks[:0]
}

// last returns the number of the last read.
func (q *readQueue) last() uint64 { return q.confirmed + uint64(len(q.waiting)) }

// contextSize is the size of a number in a heartbeat, in bytes; little endian, as etcd 3.7 has it.
const contextSize = 8

// context returns what a heartbeat is to carry: nil if no read waits.
func (q *readQueue) context() []byte {
	if len(q.waiting) == 0 {
		return nil
	}
	return binary.LittleEndian.AppendUint64(nil, q.last())
}

// ack records that a member brought a number back.
func (q *readQueue) ack(id, number uint64) {
	for i := range q.acks {
		if q.acks[i].id == id {
			q.acks[i].number = max(q.acks[i].number, number)
			return
		}
	}
	q.acks = append(q.acks, readAck{id: id, number: number})
}

// AckedIndex returns the highest number that a voter brought back, for the quorum's arithmetic.
func (q *readQueue) AckedIndex(id uint64) (quorum.Index, bool) {
	for i := range q.acks {
		if q.acks[i].id == id {
			return quorum.Index(q.acks[i].number), true
		}
	}
	return 0, false
}

// confirm returns how many of the reads that wait a quorum has confirmed.
func (q *readQueue) confirm(voters quorum.Joint) int {
	// Without voters there is no bound, but no more can be confirmed than were asked.
	number := min(uint64(voters.CommittedIndex(q)), q.last())
	if number <= q.confirmed {
		return 0
	}
	return int(number - q.confirmed)
}

// drop removes the first n reads.
func (q *readQueue) drop(n int) {
	q.confirmed += uint64(n)
	rest := copy(q.waiting, q.waiting[n:])
	clear(q.waiting[rest:])
	q.waiting = q.waiting[:rest]
}

// readIndex handles a read request at the leader.
func (c *core) readIndex(m *raftpb.Message) error {
	if c.log.committed < c.termStart {
		// A new leader has all committed entries, but doesn't know which they are until one of its
		// own term is among them (paper, section 8). Not even a single voter does: a crash may have
		// cost it the commit index, which is not waited for.
		c.pendingReads = append(c.pendingReads, *m)
		return nil
	}
	c.startRead(m)
	return nil
}

// startRead answers a read, or sees to it that the leader still is one first.
func (c *core) startRead(m *raftpb.Message) {
	// A leader that was removed or demoted must ask the single voter: that may lead by now.
	alone := c.trk.Singleton() && c.trk.Voters.Contains(c.id)
	if alone || c.reads.option == ReadOnlyLeaseBased {
		c.answerRead(m, c.log.committed)
		return
	}
	c.reads.waiting = append(c.reads.waiting, waitingRead{request: *m, index: c.log.committed})
	c.reads.ack(c.id, c.reads.last())
	c.broadcastHeartbeat()
}

// releasePendingReads takes up the reads that waited for the first commit in the term.
func (c *core) releasePendingReads() error {
	if len(c.pendingReads) == 0 || c.log.committed < c.termStart {
		return nil
	}
	pending := c.pendingReads
	c.pendingReads = nil
	for i := range pending {
		c.startRead(&pending[i])
	}
	return nil
}

// confirmReads handles the number in an answer to a heartbeat.
func (c *core) confirmReads(m *raftpb.Message) error {
	if c.reads.option != ReadOnlySafe || len(m.Context) == 0 {
		return nil
	}
	if len(m.Context) < contextSize {
		return c.refuseValue(m, RefusedContext, uint64(len(m.Context)), contextSize)
	}
	number := binary.LittleEndian.Uint64(m.Context)
	if last := c.reads.last(); number > last {
		return c.refuseValue(m, RefusedContext, number, last)
	}
	c.reads.ack(m.From, number)
	n := c.reads.confirm(c.trk.Voters)
	for i := range n {
		read := &c.reads.waiting[i]
		c.answerRead(&read.request, read.index)
	}
	if n > 0 {
		c.reads.drop(n)
	}
	return nil
}

// answerRead tells whoever asked the index that must be applied for the read.
func (c *core) answerRead(m *raftpb.Message, index uint64) {
	if m.From == None || m.From == c.id {
		state := ReadState{Index: index, RequestCtx: m.Entries[0].Data}
		c.readStates = append(c.readStates, state)
		return
	}
	c.send(raftpb.Message{
		Type:    raftpb.MsgReadIndexResp,
		To:      m.From,
		Index:   index,
		Entries: m.Entries,
	})
}

// forwardRead passes a read request to the leader.
func (c *core) forwardRead(m *raftpb.Message) {
	if c.lead == None {
		c.dropRead()
		return
	}
	c.forward(m)
}

// dropRead tells the observer that a read request gets lost.
func (c *core) dropRead() {
	if c.on() {
		c.emit(ReadIndexDropped{State: c.state, Term: c.term})
	}
}

// handleReadResponse hands the leader's answer to the application.
func (c *core) handleReadResponse(m *raftpb.Message) {
	if len(m.Entries) != 1 {
		if c.on() {
			c.emit(ReadIndexRespInvalid{From: m.From, Entries: len(m.Entries)})
		}
		return
	}
	state := ReadState{Index: m.Index, RequestCtx: m.Entries[0].Data}
	c.readStates = append(c.readStates, state)
}
