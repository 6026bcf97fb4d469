package raft

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/raftpb"
)

var errDisk = errors.New("disk on fire")

// flaky is a storage of which one reading call fails.
type flaky struct {
	*MemoryStorage
	calls int
	fail  int // the number of the call that fails, from 1; 0 for none
}

func (f *flaky) next() error {
	if f.calls++; f.calls == f.fail {
		return errDisk
	}
	return nil
}

func (f *flaky) InitialState() (raftpb.HardState, raftpb.ConfState, error) {
	if err := f.next(); err != nil {
		return raftpb.HardState{}, raftpb.ConfState{}, err
	}
	return f.MemoryStorage.InitialState()
}

func (f *flaky) Entries(lo, hi, maxSize uint64) ([]raftpb.Entry, error) {
	if err := f.next(); err != nil {
		return nil, err
	}
	return f.MemoryStorage.Entries(lo, hi, maxSize)
}

func (f *flaky) Term(index uint64) (uint64, error) {
	if err := f.next(); err != nil {
		return 0, err
	}
	return f.MemoryStorage.Term(index)
}

func (f *flaky) FirstIndex() (uint64, error) {
	if err := f.next(); err != nil {
		return 0, err
	}
	return f.MemoryStorage.FirstIndex()
}

func (f *flaky) LastIndex() (uint64, error) {
	if err := f.next(); err != nil {
		return 0, err
	}
	return f.MemoryStorage.LastIndex()
}

func (f *flaky) Snapshot() (raftpb.Snapshot, error) {
	if err := f.next(); err != nil {
		return raftpb.Snapshot{}, err
	}
	return f.MemoryStorage.Snapshot()
}

// lenient runs a group whose members may fail, and remembers their errors.
type lenient struct {
	t     *testing.T
	nodes map[uint64]*RawNode
	store map[uint64]*flaky
	done  map[uint64][]string
	net   []raftpb.Message
	errs  []error
	cut   uint64 // a member that nothing reaches, 0 for none
}

func (l *lenient) note(err error) {
	if err != nil && !errors.Is(err, ErrProposalDropped) {
		l.errs = append(l.errs, err)
	}
}

// start starts a member, again if its storage fails at first.
func (l *lenient) start(id uint64, store *flaky) {
	l.store[id] = store
	for {
		cfg := baseConfig(id, store)
		cfg.Rand = steady(int(4-id) * 3) // 3, with the best log, is first to campaign
		n, err := NewRawNode(&cfg)
		if err == nil {
			l.nodes[id] = n
			return
		}
		l.note(err)
	}
}

// round has each member handle one Ready and all its messages, then tick.
func (l *lenient) round() {
	for id := uint64(1); id <= 3; id++ {
		n := l.nodes[id]
		l.note(n.Tick())
		if n.HasReady() {
			l.ready(id, n)
		}
		in := l.net
		l.net = nil
		for _, m := range in {
			switch {
			case m.To == l.cut || m.From == l.cut:
			case m.To == id:
				l.step(n, m)
			default:
				l.net = append(l.net, m)
			}
		}
	}
}

// step delivers a message and, as it must be, reports on a snapshot.
func (l *lenient) step(n *RawNode, m raftpb.Message) {
	err := n.Step(m)
	l.note(err)
	if m.Type != raftpb.MsgSnap {
		return
	}
	status := SnapshotFinish
	if err != nil {
		status = SnapshotFailure
	}
	l.note(l.nodes[m.From].ReportSnapshot(m.To, status))
}

func (l *lenient) ready(id uint64, n *RawNode) {
	rd, err := n.Ready()
	if err != nil {
		l.note(err)
		return
	}
	store := l.store[id].MemoryStorage
	if !rd.HardState.IsEmpty() {
		must(l.t, store.SetHardState(rd.HardState))
	}
	if rd.Snapshot != nil {
		must(l.t, store.ApplySnapshot(*rd.Snapshot))
		l.done[id] = append(l.done[id], string(rd.Snapshot.Data))
	}
	must(l.t, store.Append(rd.Entries))
	for _, e := range rd.CommittedEntries {
		l.done[id] = append(l.done[id], fmt.Sprint(e.Index))
	}
	l.net = append(l.net, rd.Messages...)
	l.note(n.Advance(rd))
}

// TestEveryStorageCallFails makes each reading call of a member's storage fail in turn, in a
// history with a restart, an election, a divergent log, a compaction and a snapshot. The error must
// come out of some call, nothing may break, and the group must come to the same end.
func TestEveryStorageCallFails(t *testing.T) {
	for id := uint64(1); id <= 3; id++ {
		calls := failingHistory(t, id, 0)
		if calls < 20 {
			t.Errorf("member %d: only %d storage calls in the history", id, calls)
		}
		for fail := 1; fail <= calls; fail++ {
			failingHistory(t, id, fail)
		}
	}
}

// failingHistory runs the history with the given call of a member's storage failing, and returns
// how many there were.
func failingHistory(t *testing.T, victim uint64, fail int) int {
	t.Helper()
	l := &lenient{
		t: t, nodes: map[uint64]*RawNode{}, store: map[uint64]*flaky{}, done: map[uint64][]string{},
	}
	meta := raftpb.SnapshotMetadata{
		Index: 3, Term: 1, ConfState: raftpb.ConfState{Voters: []uint64{1, 2, 3}},
	}
	for id := uint64(1); id <= 3; id++ {
		store := &flaky{MemoryStorage: NewMemoryStorage()}
		must(t, store.ApplySnapshot(raftpb.Snapshot{Metadata: meta}))
		must(t, store.SetHardState(raftpb.HardState{Term: 3, Commit: 3}))
		// Logs that differ: 3 has the best, 2 has one to be overwritten.
		logs := [][]raftpb.Entry{run(4, 1, 1), run(4, 2, 2, 2), run(4, 1, 1, 3)}
		must(t, store.Append(logs[id-1]))
		if id == victim {
			store.fail = fail
		}
		l.start(id, store)
	}
	for i := range 150 {
		l.round()
		if i > 30 && i < 120 {
			for _, n := range l.nodes {
				l.note(n.Propose(fmt.Append(nil, i)))
			}
		}
		switch i {
		case 40:
			l.cut = 2
		case 60:
			l.compact(1, 3)
			l.cut = 0
		case 80:
			l.restart(1)
		}
	}
	l.checkEnd(victim, fail)
	return l.store[victim].calls
}

// compact has members make a snapshot and drop the log before it.
func (l *lenient) compact(ids ...uint64) {
	l.t.Helper()
	for _, id := range ids {
		applied := l.nodes[id].BasicStatus().Applied
		_, err := l.store[id].CreateSnapshot(applied, nil, []byte("snapshot"))
		must(l.t, err)
		must(l.t, l.store[id].Compact(applied))
	}
}

// restart has a member forget all but its storage, and apply again what is in there.
func (l *lenient) restart(id uint64) {
	first, err := l.store[id].MemoryStorage.FirstIndex()
	must(l.t, err)
	l.done[id] = slices.DeleteFunc(l.done[id], func(s string) bool {
		index, _ := strconv.ParseUint(s, 10, 64)
		return index >= first
	})
	l.start(id, l.store[id])
}

func (l *lenient) checkEnd(victim uint64, fail int) {
	l.t.Helper()
	var want raftpb.HardState
	for id := uint64(1); id <= 3; id++ {
		got := l.nodes[id].BasicStatus().HardState
		got.Vote = 0
		if id > 1 && got != want {
			l.t.Errorf("failing call %d of member %d: member %d ends at %+v, member 1 at %+v",
				fail, victim, id, got, want)
		}
		want = got
	}
	if want.Commit < 30 {
		l.t.Errorf("failing call %d of member %d: commit only %d", fail, victim, want.Commit)
	}
	n := 0
	for _, err := range l.errs {
		if !errors.Is(err, errDisk) {
			l.t.Errorf("failing call %d of member %d: error %v", fail, victim, err)
		}
		n++
	}
	if want := min(fail, 1); n != want {
		l.t.Errorf("failing call %d of member %d: %d errors came out, want %d: %v",
			fail, victim, n, want, l.errs)
	}
	if diff := cmp.Diff(l.done[3], l.done[1]); diff != "" {
		l.t.Errorf("failing call %d of member %d: applied by 3 and 1 (-3 +1):\n%s",
			fail, victim, diff)
	}
	if fail == 0 && !slices.Contains(l.done[2], "snapshot") {
		l.t.Error("member 2 got no snapshot")
	}
}

// TestNoSnapshot has a member need what is compacted, when Storage has no snapshot of it.
func TestNoSnapshot(t *testing.T) {
	c := newCluster(t, 2, nil)
	leader := c.elect(1)
	leader.store.snapshot = raftpb.Snapshot{}
	c.propose(1, "x")
	c.isolate(2)
	c.nodes[2].core.log.storage = NewMemoryStorage()
	must(t, leader.store.Compact(leader.BasicStatus().Applied))
	m := raftpb.Message{
		Type: raftpb.MsgAppResp, From: 2, To: 1, Term: leader.BasicStatus().HardState.Term,
		Reject: true, Index: 4, RejectHint: 1,
	}
	leader.core.trk.Members.Get(2).Match = 1
	if err := leader.Step(m); !errors.Is(err, ErrEmptySnapshot) {
		t.Errorf("got %v, want ErrEmptySnapshot", err)
	}
}
