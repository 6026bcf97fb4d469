package sim

import (
	"encoding/binary"
	"math"

	"github.com/raftctl/raftctl/raft"
)

// operation is something that a client asked for.
type operation struct {
	command
	client  int
	call    int64 // when, see stamp
	ret     int64 // when the answer came, math.MaxInt64 for not yet
	result  uint32
	attempt int
	over    bool // answered or given up
	then    func()
}

// clients are those who use the group.
type clients struct {
	ops     []*operation
	answers uint32 // counts values, so that each is written once
	ticks   int64  // counts stamps
}

// stamp returns the present time, finer than the virtual one: no two are the same.
func (w *world) stamp() int64 {
	w.clients.ticks++
	return w.now<<20 + w.clients.ticks
}

func (w *world) startClients() {
	for client := range w.shape.clients {
		w.at(w.upTo(20*tickTime), func() { w.nextOperation(client) })
	}
}

// nextOperation has a client ask for something and go on when it got it, or gave it up.
func (w *world) nextOperation(client int) {
	if w.calm || len(w.clients.ops) >= maxOps-2*maxMembers {
		return
	}
	c := command{kind: opKind(w.rand.IntN(3)), key: uint8(w.rand.IntN(keys))}
	w.ask(client, c, w.anyMember(), func() {
		w.at(w.now+1+w.upTo(3*tickTime), func() { w.nextOperation(client) })
	})
}

// ask begins an operation at a member.
func (w *world) ask(client int, c command, m *member, then func()) *operation {
	w.clients.answers++
	c.id, c.value = uint16(len(w.clients.ops)), w.clients.answers
	if c.kind == opSwap && w.clients.answers > 1 {
		c.old = w.lastValue(c.key)
	}
	op := &operation{command: c, client: client, call: w.stamp(), ret: math.MaxInt64, then: then}
	w.clients.ops = append(w.clients.ops, op)
	w.stats.Operations++
	w.try(op, m)
	return op
}

// lastValue guesses what a register holds: what was last read there, or last put.
func (w *world) lastValue(key uint8) uint32 {
	for i := len(w.clients.ops) - 1; i >= 0; i-- {
		op := w.clients.ops[i]
		switch {
		case op.key != key:
		case op.kind == opRead && op.ret != math.MaxInt64:
			return op.result
		case op.kind != opRead:
			return op.value
		}
	}
	return 0
}

// try sends the operation to a member, and after a time without answer to another one.
func (w *world) try(op *operation, m *member) {
	op.attempt++
	attempt := op.attempt
	if m.up {
		m.ask(op)
	}
	w.at(w.now+2*tickTime+w.upTo(20*tickTime), func() {
		switch {
		case op.over || op.attempt != attempt:
		case attempt == 4 && op.client >= 0:
			op.over = true
			w.stats.Unknown++
			op.then()
		default:
			w.try(op, w.anyMember())
		}
	})
}

// ask has the member propose or read.
func (m *member) ask(op *operation) {
	wait := waiter{op: op, attempt: op.attempt}
	if op.kind == opRead {
		context := binary.LittleEndian.AppendUint32(nil, uint32(op.id)<<16|uint32(op.attempt))
		m.input(func() error { return m.node.ReadIndex(context) })
		return
	}
	m.waiting = append(m.waiting, wait)
	padding := 0
	if m.w.shape.padding > 0 {
		padding = m.w.rand.IntN(m.w.shape.padding)
	}
	data := op.encode(padding)
	m.input(func() error { return m.node.Propose(data) })
}

// takeReads takes the answers to reads.
func (m *member) takeReads(states []raft.ReadState) {
	for _, rs := range states {
		number := binary.LittleEndian.Uint32(rs.RequestCtx)
		op := m.w.clients.ops[number>>16]
		wait := waiter{op: op, attempt: int(number & 0xffff)}
		m.reads = append(m.reads, read{waiter: wait, index: rs.Index})
	}
	if len(states) > 0 {
		m.answerReads()
	}
}

// answerReads answers the reads for which enough is applied.
func (m *member) answerReads() {
	rest := m.reads[:0]
	for _, r := range m.reads {
		if r.index > m.state.index {
			rest = append(rest, r)
			continue
		}
		m.w.stats.Reads++
		m.reply(r.waiter, m.state.values[r.op.key])
	}
	m.reads = rest
}

// answer answers those who wait for an operation that was applied.
func (m *member) answer(id uint16, swapped bool) {
	rest := m.waiting[:0]
	for _, wait := range m.waiting {
		if wait.op.id != id {
			rest = append(rest, wait)
			continue
		}
		result := uint32(0)
		if swapped {
			result = 1
		}
		m.reply(wait, result)
	}
	m.waiting = rest
}

// reply sends an answer to a client, where it may come late or never.
func (m *member) reply(wait waiter, result uint32) {
	w, op := m.w, wait.op
	if w.chance(w.net.loss) {
		return
	}
	w.at(w.now+w.upTo(w.net.delay), func() {
		if op.over {
			return
		}
		op.over, op.ret, op.result = true, w.stamp(), result
		w.ladder.reply(w.now, m.id, op)
		op.then()
	})
}
