package lockstep

import (
	"encoding/binary"
	"slices"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raft/tracker"
	"github.com/raftctl/raftctl/raftpb"
	refraft "go.etcd.io/raft/v3"
)

// operations are what can happen in a world. A header scales their weights.
var operations = [...]struct {
	name   string
	weight int
	do     func(m *member, b, c byte)
}{
	{"tick", 6, func(m *member, _, _ byte) { m.tick() }},
	{"tick all", 2, func(m *member, _, _ byte) { m.w.tickAll() }},
	{"time out", 2, (*member).timeOut},
	{"deliver", 16, (*member).deliverOldest},
	{"reorder", 6, func(m *member, b, c byte) { m.w.deliverAny(b, c, false) }},
	{"duplicate", 2, func(m *member, b, c byte) { m.w.deliverAny(b, c, true) }},
	{"lose", 2, func(m *member, b, c byte) { m.w.lose(b, c) }},
	{"flush", 8, func(m *member, _, _ byte) { m.w.flush() }},
	{"process", 12, func(m *member, _, _ byte) { m.process() }},
	{"process all", 6, func(m *member, _, _ byte) { m.w.processAll() }},
	{"stage", 6, (*member).doPart},
	{"settle", 4, func(m *member, b, _ byte) { m.w.settle(b) }},
	{"propose", 12, (*member).propose},
	{"propose batch", 2, (*member).proposeBatch},
	{"change", 2, (*member).proposeChange},
	{"read", 3, (*member).read},
	{"transfer", 1, (*member).transfer},
	{"campaign", 1, (*member).campaign},
	{"forget", 1, (*member).forget},
	{"report", 2, (*member).report},
	{"crash", 1, (*member).crash},
	{"partition", 1, (*member).partition},
	{"compact", 5, (*member).compact},
	{"odd", 1, (*member).odd},
	{"forge", 8, (*member).forge},
}

// operate does one operation. To a member that is down nothing happens, but that it may be started.
func (w *world) operate(op operation) {
	m := w.members[int(op.member)%len(w.members)]
	o := &operations[w.shape.weightsTable[op.code]]
	if !m.up && o.name != "crash" && o.name != "partition" {
		if op.c&7 == 0 {
			m.recover(op.b)
		}
		return
	}
	o.do(m, op.b, op.c)
	if m.up && op.member>>6 < w.shape.eager {
		m.process()
	}
}

func (w *world) tickAll() {
	for _, m := range w.members {
		if m.up {
			m.tick()
		}
	}
}

// timeOut ticks a member until its role or term changes, at most so often that it has surely
// campaigned or, as a leader, checked its quorum.
func (m *member) timeOut(_, _ byte) {
	before := m.ours.BasicStatus()
	for range 2 * m.config.ElectionTick {
		m.tick()
		after := m.ours.BasicStatus()
		if after.SoftState.RaftState != before.SoftState.RaftState ||
			after.HardState.Term != before.HardState.Term {
			return
		}
	}
}

func (m *member) deliverOldest(b, _ byte) {
	for range 1 + b&3 {
		i := m.w.oldestFor(m.id)
		if i < 0 || !m.up {
			return
		}
		m.w.deliver(i, false)
	}
}

func (w *world) deliverAny(b, c byte, keep bool) {
	if len(w.net) > 0 {
		w.deliver((int(b)<<8|int(c))%len(w.net), keep)
	}
}

func (w *world) lose(b, c byte) {
	if len(w.net) > 0 {
		i := (int(b)<<8 | int(c)) % len(w.net)
		w.net = slices.Delete(w.net, i, i+1)
	}
}

// doPart does part of what there is to do.
func (m *member) doPart(b, _ byte) {
	if !m.config.AsyncStorageWrites {
		if m.work == nil {
			m.takeReady()
		} else {
			m.nextStage()
		}
		return
	}
	switch b & 3 {
	case 0:
		m.takeReady()
	case 1:
		m.appendJob()
	case 2:
		m.applyJob()
	case 3:
		m.answer(1)
	}
}

// payload returns new data of a size that b tells; some are larger than limits are.
func (w *world) payload(b byte) []byte {
	if b == 255 {
		return nil
	}
	size := int(b & 31)
	if b >= 240 {
		size = 64 << (b & 3)
	}
	data := make([]byte, size)
	w.requests++
	var number [8]byte
	binary.BigEndian.PutUint64(number[:], w.requests)
	copy(data, number[4:])
	return data
}

func (m *member) propose(b, _ byte) {
	data := m.w.payload(b)
	_ = m.do("propose", func(n *raft.RawNode) error { return n.Propose(data) },
		func(n *refraft.RawNode) error { return n.Propose(data) })
}

// proposeBatch steps a proposal of several entries, membership changes among them.
func (m *member) proposeBatch(b, c byte) {
	entries := make([]raftpb.Entry, 1+b&3)
	for i := range entries {
		entries[i].Data = m.w.payload(c + byte(i)*8)
		if b>>4&3 == byte(i) && b&64 != 0 {
			change := m.w.change(c, b)
			entries[i].Type, entries[i].Data = raftpb.MarshalConfChange(change, raftpb.FlavorPbgo)
		}
	}
	p := packet{ours: raftpb.Message{Type: raftpb.MsgProp, From: m.id, Entries: entries}}
	m.hand(&p)
}

// hand steps a message that is made up for both sides.
func (m *member) hand(p *packet) {
	if !m.w.alone {
		p.ref = refMessage(&p.ours)
	}
	_ = m.step(p)
}

// change returns a membership change. ID 0, which changes nothing, is how etcd turns one down.
func (w *world) change(b, c byte) raftpb.ConfChangeI {
	id := func(x byte) uint64 { return uint64(x % byte(len(w.members)+1)) }
	kind := func(x byte) raftpb.ConfChangeType { return raftpb.ConfChangeType(x & 3) }
	var context []byte
	if b&128 != 0 {
		context = []byte{c}
	}
	switch b & 7 {
	case 0, 1, 2:
		return raftpb.ConfChange{
			ID: uint64(c & 1), Type: kind(b >> 3), NodeID: id(c), Context: context,
		}
	case 3:
		return raftpb.ConfChangeV2{Context: context}
	}
	v2 := raftpb.ConfChangeV2{
		Context: context, Transition: raftpb.ConfChangeTransition((b >> 5 & 3) % 3),
	}
	for i := range b & 3 {
		v2.Changes = append(v2.Changes, raftpb.ConfChangeSingle{
			Type: kind(c>>(2*i) ^ b>>3), NodeID: 1 + uint64(c+i*(1+b>>5))%uint64(len(w.members)),
		})
	}
	return v2
}

func (m *member) proposeChange(b, c byte) {
	change := m.w.change(b, c)
	if !m.w.alone && m.w.shape.paged() {
		// By way of a message, whose refused changes can be replaced: see withoutRefused.
		typ, data := raftpb.MarshalConfChange(change, raftpb.FlavorPbgo)
		m.hand(&packet{ours: raftpb.Message{
			Type: raftpb.MsgProp, Entries: []raftpb.Entry{{Type: typ, Data: data}},
		}})
		return
	}
	refChange, err := refConfChange(change)
	if err != nil {
		m.w.fail("%d: conf change: %v", m.id, err)
	}
	_ = m.do("propose change", func(n *raft.RawNode) error { return n.ProposeConfChange(change) },
		func(n *refraft.RawNode) error { return n.ProposeConfChange(refChange) })
}

// read asks for a read index, rarely with a context that was used before.
func (m *member) read(b, _ byte) {
	if m.refReadsStale() {
		return
	}
	m.readComes()
	if b&15 != 0 {
		m.w.requests++
	}
	context := binary.BigEndian.AppendUint64(nil, m.w.requests)
	m.doQuietly("read", func(n *raft.RawNode) error { return n.ReadIndex(context) },
		func(n *refraft.RawNode) { n.ReadIndex(context) })
}

// peer returns an ID: of a member, or rarely of none.
func (w *world) peer(b byte) uint64 { return uint64(b) % uint64(len(w.members)+2) }

func (m *member) transfer(b, _ byte) {
	to := m.w.peer(b)
	m.doQuietly("transfer", func(n *raft.RawNode) error { return n.TransferLeader(to) },
		func(n *refraft.RawNode) { n.TransferLeader(to) })
}

func (m *member) campaign(_, _ byte) {
	_ = m.do("campaign", (*raft.RawNode).Campaign, (*refraft.RawNode).Campaign)
}

func (m *member) forget(_, _ byte) {
	_ = m.do("forget leader", (*raft.RawNode).ForgetLeader, (*refraft.RawNode).ForgetLeader)
}

// report tells of the network.
func (m *member) report(b, c byte) {
	id := m.w.peer(b)
	if waiting := m.awaitsSnapshot(); waiting != 0 && c&16 != 0 {
		id, c = waiting, c|2
	}
	switch c & 3 {
	case 0, 1:
		m.doQuietly("unreachable", func(n *raft.RawNode) error { return n.ReportUnreachable(id) },
			func(n *refraft.RawNode) { n.ReportUnreachable(id) })
	case 2, 3:
		status := raft.SnapshotFinish
		if c&1 != 0 {
			status = raft.SnapshotFailure
		}
		m.doQuietly("snapshot status",
			func(n *raft.RawNode) error { return n.ReportSnapshot(id, status) },
			func(n *refraft.RawNode) { n.ReportSnapshot(id, refraft.SnapshotStatus(status)) })
	}
}

// awaitsSnapshot returns a member that the leader waits for to get a snapshot, 0 if there is none.
func (m *member) awaitsSnapshot() uint64 {
	for _, p := range m.ours.Status().Progress {
		if p.State == tracker.StateSnapshot {
			return p.ID
		}
	}
	return 0
}

// crash ends a member, or starts one that had ended. What is in hand is lost.
func (m *member) crash(b, c byte) {
	if m.up {
		m.w.trace("%d: crash", m.id)
		m.up, m.work, m.jobs = false, nil, jobQueue{}
		if c&3 != 0 {
			return // to be restarted later
		}
	}
	m.recover(b)
}

// recover starts a member from its disks, with an application that remembers what it applied, or
// only its last snapshot.
func (m *member) recover(b byte) {
	snap, err := m.ourDisk.MemoryStorage.Snapshot()
	if err != nil {
		m.w.fail("%d: snapshot: %v", m.id, err)
	}
	if b&1 != 0 && m.w.shape.start != fromConfState || snap.Metadata.Index > m.applied {
		m.applied, m.conf = snap.Metadata.Index, snap.Metadata.ConfState
	}
	hs, _, err := m.ourDisk.MemoryStorage.InitialState()
	if err != nil {
		m.w.fail("%d: initial state: %v", m.id, err)
	}
	if m.w.shape.losesCommit && b&2 != 0 {
		hs.Commit = min(hs.Commit, m.synced.Commit)
	}
	// What was applied was committed, whether or not that was stored. A membership change that was
	// applied must not be forgotten: see docs/raft.md on the unsynced commit index.
	if hs.Commit = max(hs.Commit, m.applied, m.settled); !hs.IsEmpty() {
		m.setHardState(hs)
	}
	m.w.trace("%d: recover at %+v, applied %d", m.id, hs, m.applied)
	m.w.steps++
	m.boot()
	if last, _ := m.ourDisk.MemoryStorage.LastIndex(); m.up && last == 0 && m.w.bootstraps(m.id) {
		m.w.bootstrap(m) // it had not stored anything
	}
}

// partition cuts or mends the network.
func (m *member) partition(b, c byte) {
	w := m.w
	switch b & 7 {
	case 0: // two halves
		for i := range w.blocked {
			w.blocked[i] = c
			if c>>i&1 != 0 {
				w.blocked[i] = ^c
			}
		}
	case 1: // one member off
		for i := range w.blocked {
			w.blocked[i] |= 1 << (m.id & 7)
		}
		w.blocked[m.id&7] = 0xff
	case 2: // one direction
		w.blocked[m.id&7] ^= 1 << (c & 7)
	default:
		w.blocked = [8]byte{}
	}
	w.trace("partition %08b", w.blocked)
}

func snapshotData(index uint64) []byte { return binary.BigEndian.AppendUint64(nil, index) }

// compact takes a snapshot of what is applied, and drops entries from the log: never such that raft
// might still have to hand out.
func (m *member) compact(b, _ byte) {
	last, err := m.ourDisk.MemoryStorage.LastIndex()
	if err != nil {
		m.w.fail("%d: last index: %v", m.id, err)
	}
	index := min(m.applied, last)
	if snap, err := m.ourDisk.MemoryStorage.Snapshot(); err != nil || index <= snap.Metadata.Index {
		return
	}
	m.w.trace("%d: snapshot %d", m.id, index)
	conf, data := m.conf, snapshotData(index)
	if index != m.applied {
		return
	}
	_, err = m.ourDisk.CreateSnapshot(index, &conf, data)
	m.sameDiskError("create snapshot", err, func() error {
		_, err := m.refDisk.CreateSnapshot(index, refConfState(&conf), data)
		return err
	})
	keep := uint64(b & 3)
	if to := min(index, m.ours.BasicStatus().Applied); to > keep {
		m.w.trace("%d: compact to %d", m.id, to-keep)
		err := m.ourDisk.Compact(to - keep)
		m.sameDiskError("compact", err, func() error { return m.refDisk.Compact(to - keep) })
	}
}

// odd does what rarely happens.
func (m *member) odd(b, c byte) {
	from := m.w.peer(c)
	switch b & 7 {
	case 0, 1:
		m.ourDisk.busy = !m.ourDisk.busy
		if m.refDisk != nil {
			m.refDisk.busy = m.ourDisk.busy
		}
	case 2: // a transfer request that was passed on
		m.receive(c, raftpb.Message{Type: raftpb.MsgTransferLeader})
	case 3: // what never travels
		types := []raftpb.MessageType{
			raftpb.MsgHup, raftpb.MsgBeat, raftpb.MsgUnreachable, raftpb.MsgSnapStatus,
			raftpb.MsgCheckQuorum, raftpb.MsgStorageAppend, raftpb.MsgStorageAppendResp,
			raftpb.MsgStorageApply, raftpb.MsgStorageApplyResp,
		}
		m.hand(&packet{ours: raftpb.Message{Type: types[int(c)%len(types)], From: m.id, To: m.id}})
	case 4: // from strangers
		types := []raftpb.MessageType{
			raftpb.MsgAppResp, raftpb.MsgVoteResp, raftpb.MsgHeartbeatResp, raftpb.MsgPreVoteResp,
			raftpb.MsgReadIndexResp,
		}
		term := m.ours.BasicStatus().HardState.Term
		m.hand(&packet{ours: raftpb.Message{
			Type: types[int(c)%len(types)], From: 77, To: m.id, Term: term + uint64(c>>6),
		}})
	case 5: // a read answered in the wrong form
		m.receive(c, raftpb.Message{
			Type: raftpb.MsgReadIndexResp, Entries: make([]raftpb.Entry, 2*(c&1)),
		})
	case 6: // to be told to campaign by someone
		m.receive(c, raftpb.Message{Type: raftpb.MsgTimeoutNow})
	case 7: // somebody else's requests
		m.hand(&packet{ours: raftpb.Message{
			Type: raftpb.MsgReadIndex, From: from, To: m.id,
			Entries: []raftpb.Entry{{Data: []byte{c}}},
		}})
	}
}

// receive steps a message as from another member of the same term.
func (m *member) receive(c byte, msg raftpb.Message) {
	msg.From = 1 + (m.id+uint64(c))%uint64(len(m.w.members))
	msg.To, msg.Term = m.id, m.ours.BasicStatus().HardState.Term
	if msg.From != m.id && msg.Term != 0 {
		m.hand(&packet{ours: msg})
	}
}
