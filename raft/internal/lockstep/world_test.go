package lockstep

import (
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
	refraft "go.etcd.io/raft/v3"
	refpb "go.etcd.io/raft/v3/raftpb"
)

// world is a group of members with a network between them.
type world struct {
	shape   *shape
	members []*member
	alone   bool // ours alone, without the reference

	net     []packet // oldest first
	blocked [8]byte  // for each sender, the receivers that it doesn't reach, as bits

	committed map[uint64]truth
	requests  uint64 // read requests and payloads, numbered

	steps  int
	events int
	seen   *witness // nil: nobody looks on
}

// packet is a message on its way, as each side wrote it.
type packet struct {
	ours raftpb.Message
	ref  *refpb.Message // nil in a world on our own
}

// maxPackets is the number of messages that a network holds. Beyond, the oldest get lost.
const maxPackets = 200

// failure is a difference, thrown by fail and caught by play.
type failure struct {
	step int
	text string
}

func (f *failure) Error() string { return fmt.Sprintf("step %d: %s", f.step, f.text) }

func (w *world) fail(format string, args ...any) {
	panic(&failure{step: w.steps, text: fmt.Sprintf(format, args...)})
}

func (w *world) tracing() bool { return w.seen != nil }

func (w *world) trace(format string, args ...any) {
	if w.tracing() {
		w.seen.steps = append(w.seen.steps, fmt.Sprintf(format, args...))
	}
}

// newWorld returns the world that a header describes, its members started.
func newWorld(h [headerSize]byte, alone bool, seen *witness) *world {
	w := &world{shape: newShape(h, alone), alone: alone, committed: map[uint64]truth{}, seen: seen}
	for id := uint64(1); id <= uint64(w.shape.members); id++ {
		m := &member{w: w, id: id, config: w.shape.config}
		m.config.ID = id
		w.shape.setFlags(&m.config)
		if w.shape.observed {
			m.config.Observer = raft.ObserverFunc(w.observe)
		}
		m.ourDisk = &ourStorage{MemoryStorage: raft.NewMemoryStorage()}
		if !alone {
			m.refDisk = &refStorage{MemoryStorage: refraft.NewMemoryStorage()}
		}
		w.members = append(w.members, m)
		w.begin(m)
	}
	return w
}

// observe is told of events, which belong to a member and can be printed.
func (w *world) observe(id uint64, e raft.Event) {
	if w.member(id) == nil || e == nil {
		w.fail("event %v of %d", e, id)
	}
	if w.events++; w.events%64 == 0 {
		w.trace("%d: %+v", id, e)
	}
}

// begin puts on a member's disks what the group starts from, if it belongs to it, and boots it.
func (w *world) begin(m *member) {
	cs := &w.shape.conf
	initial := slices.Contains(cs.Voters, m.id) || slices.Contains(cs.Learners, m.id) ||
		slices.Contains(cs.VotersOutgoing, m.id)
	// A membership at index 0 is in nobody's log, so that those who join later must know it as
	// well.
	joins := !initial && w.shape.start != fromConfState
	if joins || w.shape.start == fromBootstrap {
		m.boot()
		if w.bootstraps(m.id) {
			w.bootstrap(m)
		}
		return
	}
	snap := raftpb.Snapshot{Metadata: raftpb.SnapshotMetadata{ConfState: w.shape.conf}}
	if w.shape.start != fromConfState {
		snap.Metadata.Index, snap.Metadata.Term = w.shape.startIndex, 1
	}
	err := m.ourDisk.ApplySnapshot(snap)
	m.sameDiskError("first snapshot", err,
		func() error { return m.refDisk.ApplySnapshot(refSnapshot(&snap)) })
	m.applied, m.conf = snap.Metadata.Index, snap.Metadata.ConfState
	if m.applied > 0 {
		m.synced = raftpb.HardState{Term: 1, Commit: m.applied}
		m.setHardState(m.synced)
	}
	m.boot()
}

// bootstraps reports whether a member with an empty disk is to bootstrap.
func (w *world) bootstraps(id uint64) bool {
	return w.shape.start == fromBootstrap && slices.Contains(w.shape.conf.Voters, id)
}

// founding reports whether an entry is one of those that bootstrapping makes.
func (w *world) founding(e *raftpb.Entry) bool {
	return w.shape.start == fromBootstrap && e.Index <= uint64(len(w.shape.conf.Voters))
}

func (w *world) bootstrap(m *member) {
	peers := make([]raft.Peer, len(w.shape.conf.Voters))
	refPeers := make([]refraft.Peer, len(peers))
	for i, id := range w.shape.conf.Voters {
		peers[i] = raft.Peer{ID: id, Context: []byte{byte(id)}}
		refPeers[i] = refraft.Peer{ID: id, Context: []byte{byte(id)}}
	}
	_ = m.do("bootstrap", func(n *raft.RawNode) error { return n.Bootstrap(peers) },
		func(n *refraft.RawNode) error { return n.Bootstrap(refPeers) })
}

// play runs an input, and returns the number of steps and the failure that ended it, nil for none.
func play(in input, alone bool, seen *witness) (steps int, failed *failure) {
	var w *world
	defer func() {
		if w != nil {
			steps = w.steps
		}
		switch p := recover().(type) {
		case nil, worldsEnd:
		case *failure:
			failed = p
		default:
			panic(p)
		}
	}()
	h := in.header()
	w = newWorld(h, alone, seen)
	in.operations(w.operate)
	return w.steps, nil
}

// send puts a message on the network.
func (w *world) send(p packet) {
	if w.seen != nil {
		w.seen.sent = append(w.seen.sent, *p.ours.Clone())
	}
	if len(w.net) == maxPackets {
		w.net = slices.Delete(w.net, 0, 1)
	}
	w.net = append(w.net, p)
}

// member returns the member with an ID, nil if there is none.
func (w *world) member(id uint64) *member {
	if id == 0 || id > uint64(len(w.members)) {
		return nil
	}
	return w.members[id-1]
}

func (w *world) cut(from, to uint64) bool { return w.blocked[from&7]>>(to&7)&1 != 0 }

// deliver takes the i-th message from the network, or a copy of it, and steps its receiver.
func (w *world) deliver(i int, keep bool) {
	p := w.net[i]
	if !keep {
		w.net = slices.Delete(w.net, i, i+1)
	}
	m := w.member(p.ours.To)
	if m == nil || !m.up || w.cut(p.ours.From, p.ours.To) {
		return
	}
	if p.ref != nil && !sameMessage(&p.ours, p.ref) {
		w.fail("message changed since it was sent: got\n%s\nwant\n%s", showMessage(&p.ours),
			refraft.DescribeMessage(p.ref, nil))
	}
	if p.ours.Type == raftpb.MsgSnap && w.shape.freshSnaps {
		w.freshen(&p)
	}
	_ = m.step(&p)
}

// freshen replaces a snapshot by one of the sender's latest state, as etcd's transport does.
func (w *world) freshen(p *packet) {
	from := w.member(p.ours.From)
	if from == nil || from.applied <= p.ours.Snapshot.Metadata.Index {
		return
	}
	term, ok := w.committed[from.applied]
	if !ok {
		return
	}
	p.ours.Snapshot = &raftpb.Snapshot{
		Data: snapshotData(from.applied),
		Metadata: raftpb.SnapshotMetadata{
			Index: from.applied, Term: term.term, ConfState: from.conf,
		},
	}
	if p.ref != nil {
		p.ref = copyRef(p.ref)
		p.ref.Snapshot = refSnapshot(p.ours.Snapshot)
	}
}

// flush delivers all that is on its way now.
func (w *world) flush() {
	for n := len(w.net); n > 0 && len(w.net) > 0; n-- {
		w.deliver(0, false)
	}
}

// oldestFor returns the position of the oldest message for a member, -1 for none.
func (w *world) oldestFor(id uint64) int {
	return slices.IndexFunc(w.net, func(p packet) bool { return p.ours.To == id })
}

func (w *world) processAll() {
	for _, m := range w.members {
		if m.up {
			m.process()
		}
	}
}

// settle lets the group come to rest, or nearly; rarely by mending the network first.
func (w *world) settle(b byte) {
	if b >= 224 {
		w.blocked = [8]byte{}
	}
	for range 1 + b&7 {
		w.processAll()
		if len(w.net) == 0 {
			return
		}
		w.flush()
	}
}
