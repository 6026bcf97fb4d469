package sim

import (
	"errors"
	"math/rand/v2"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
)

// member is a member of the group, or one that is to be: its RawNode and the application around it.
type member struct {
	w     *world
	id    uint64
	async bool
	tick  int64 // how long a tick is

	up    bool
	life  int // counts the starts
	node  *raft.RawNode
	store *raft.MemoryStorage
	disk  disk
	saved registers // the state machine as it is on disk, if it is

	state    registers
	restored uint64 // index of the last snapshot that the core took over
	waiting  []waiter
	reads    []read

	busy    bool     // the synchronous loop is writing
	later   []func() // what it will do then
	appends []raftpb.Message
	applies []raftpb.Message
	// appending and applying tell whether the threads of the asynchronous loop are at work.
	appending, applying bool
	stalled             int64 // until when the disk doesn't answer

	log   mirror
	seen  observed
	moves []raft.StateChanged // since the last look
}

// waiter is an operation that waits for its entry to be applied here.
type waiter struct {
	op      *operation
	attempt int
}

// read is an operation that waits until index is applied here.
type read struct {
	waiter
	index uint64
}

func newMember(w *world, id uint64) *member {
	m := &member{w: w, id: id, tick: tickTime, async: w.chance(w.shape.async)}
	m.changeClock()
	if id > uint64(w.shape.voters) {
		return m
	}
	for voter := range uint64(w.shape.voters) {
		m.saved.conf.Voters = append(m.saved.conf.Voters, voter+1)
	}
	m.saved.index = 1
	m.disk.synced.hard = raftpb.HardState{Term: 1, Commit: 1}
	m.disk.save(&raftpb.Snapshot{
		Data:     m.saved.encode(),
		Metadata: raftpb.SnapshotMetadata{Index: 1, Term: 1, ConfState: m.saved.conf},
	}, raftpb.HardState{}, nil)
	m.disk.sync()
	return m
}

// changeClock gives the clock a new speed.
func (m *member) changeClock() {
	skew := m.w.shape.skew
	m.tick = tickTime * (100 - skew + m.w.upTo(2*skew)) / 100
}

// after has something happen, if the member lives on until then.
func (m *member) after(duration int64, do func()) {
	life := m.life
	m.w.at(m.w.now+duration, func() {
		if m.life == life && m.up {
			do()
		}
	})
}

// start starts the member with what is on its disk.
func (m *member) start() {
	store, err := m.disk.open()
	if err == nil {
		err = m.loadState()
	}
	if err != nil {
		m.w.fail("member %d: open: %v", m.id, err)
		return
	}
	m.store, m.up, m.restored = store, true, 0
	m.life++
	cfg := m.config()
	if m.node, err = raft.NewRawNode(&cfg); err != nil {
		m.w.fail("member %d: start: %v", m.id, err)
		return
	}
	m.w.ladder.note(m.w.now, m.id, "start")
	m.rememberStart()
	m.after(m.w.upTo(m.tick), m.ticks)
	m.work()
}

// loadState gets the state machine from its disk or from the snapshot.
func (m *member) loadState() error {
	var err error
	m.state = registers{}
	if snap := &m.disk.synced.snap; !snap.IsEmpty() {
		m.state, err = decodeRegisters(snap.Data)
	}
	if m.w.shape.diskState && m.saved.index > m.state.index {
		m.state = m.saved
	}
	return err
}

func (m *member) config() raft.Config {
	s := &m.w.shape
	cfg := raft.Config{
		ID:                        m.id,
		ElectionTick:              s.electionTick,
		HeartbeatTick:             s.hbTick,
		Storage:                   storage{m.store, m.state.conf},
		Applied:                   m.state.index,
		AsyncStorageWrites:        m.async,
		MaxSizePerMsg:             s.maxMsg,
		MaxCommittedSizePerReady:  s.maxCommitted,
		MaxUncommittedEntriesSize: s.maxOpen,
		MaxInflightMsgs:           s.maxInflight,
		CheckQuorum:               s.checkQuorum,
		PreVote:                   s.preVote,
		DisableProposalForwarding: s.noForward,
		StepDownOnRemoval:         s.stepDown,
		Rand:                      rand.New(rand.NewPCG(m.w.rand.Uint64(), m.id)),
		Observer:                  raft.ObserverFunc(m.observe),
	}
	if s.lease {
		cfg.ReadOnlyOption = raft.ReadOnlyLeaseBased
	}
	return cfg
}

// observe is told by the core what happens inside.
func (m *member) observe(_ uint64, e raft.Event) {
	switch e := e.(type) {
	case raft.StateChanged:
		m.moves = append(m.moves, e)
	case raft.SnapshotRestored:
		m.restored = e.Snapshot.Index
	}
}

// crash stops the member as if the power was cut.
func (m *member) crash() {
	if !m.up {
		return
	}
	m.w.ladder.note(m.w.now, m.id, "CRASH")
	m.w.stats.Crashes++
	m.up = false
	m.life++
	m.disk.crash(m.w.rand)
	m.node, m.store = nil, nil
	m.waiting, m.reads, m.later, m.appends, m.applies = nil, nil, nil, nil, nil
	m.busy, m.appending, m.applying, m.moves = false, false, false, nil
}

func (m *member) ticks() {
	m.after(m.tick, m.ticks)
	if m.busy && !m.w.shape.stepWriting {
		return // missed
	}
	m.input(func() error { return m.node.Tick() })
}

// input has the loop call the core, at once or when it has written.
func (m *member) input(call func() error) {
	if m.busy && !m.w.shape.stepWriting {
		m.later = append(m.later, func() { m.call(call) })
		return
	}
	m.call(call)
	m.work()
}

// call calls the core and looks at what became of it.
func (m *member) call(call func() error) {
	if m.w.found != nil {
		return
	}
	if err := call(); err != nil && !expected(err) {
		m.w.fail("member %d: %v", m.id, err)
	}
	m.look()
}

// expected reports whether an error is part of normal life.
func expected(err error) bool {
	var refused *raft.RefusedError
	if errors.As(err, &refused) {
		// Two members that take each other for the leader.
		return refused.Reason == raft.RefusedForwarded
	}
	return errors.Is(err, raft.ErrProposalDropped) || errors.Is(err, raft.ErrStepPeerNotFound)
}

// work does what there is to do.
func (m *member) work() {
	for m.up && m.w.found == nil && !m.busy && m.node.HasReady() {
		rd, err := m.node.Ready()
		if err != nil {
			m.w.fail("member %d: ready: %v", m.id, err)
			return
		}
		m.takeReady(&rd)
		if m.async {
			m.giveOut(&rd)
		} else {
			m.write(&rd)
		}
	}
}

// leads reports whether the member is leader, as far as it knows.
func (m *member) leads() bool {
	return m.up && m.node.BasicStatus().SoftState.RaftState == raft.StateLeader
}
