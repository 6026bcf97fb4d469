package raftbench

import (
	"runtime"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
)

// Ours is package raft.
var Ours = Implementation[raftpb.Message]{
	Name: "ours",
	New:  func(c Config) (Node[raftpb.Message], error) { return newOurs(c) },
	To:   func(m *raftpb.Message) uint64 { return m.To },
}

type ourNode struct {
	*raft.RawNode
	config    raft.Config
	store     *raft.MemoryStorage
	applied   uint64
	committed int
}

type steady struct{}

func (steady) IntN(int) int { return 0 }

func newOurs(c Config) (*ourNode, error) {
	n := &ourNode{store: raft.NewMemoryStorage(), applied: FirstIndex}
	n.config = raft.Config{
		ID: c.ID, ElectionTick: c.ElectionTick, HeartbeatTick: c.HeartbeatTick, Storage: n.store,
		MaxSizePerMsg: c.MaxSizePerMsg, MaxInflightMsgs: c.MaxInflightMsgs, Rand: steady{},
	}
	snap := raftpb.Snapshot{Metadata: raftpb.SnapshotMetadata{
		Index: FirstIndex, Term: 1, ConfState: raftpb.ConfState{Voters: c.Voters},
	}}
	if err := n.store.ApplySnapshot(snap); err != nil {
		return nil, err
	}
	if err := n.store.SetHardState(raftpb.HardState{Term: 1, Commit: FirstIndex}); err != nil {
		return nil, err
	}
	return n, n.Restart()
}

func (n *ourNode) Restart() error {
	n.config.Applied = n.applied
	var err error
	n.RawNode, err = raft.NewRawNode(&n.config)
	return err
}

func (n *ourNode) Tick()                        { _ = n.RawNode.Tick() }
func (n *ourNode) Step(m *raftpb.Message) error { return n.RawNode.Step(*m) }
func (n *ourNode) Committed() int               { return n.committed }
func (n *ourNode) Status()                      { runtime.KeepAlive(n.RawNode.Status()) }

func (n *ourNode) LastIndex() uint64 {
	last, _ := n.store.LastIndex()
	return last
}

func (n *ourNode) Compact(keep uint64) error { return n.store.Compact(n.applied - keep) }

func (n *ourNode) Idle() {
	rd, _ := n.Ready()
	_ = n.Advance(rd)
}

func (n *ourNode) Work(out []raftpb.Message) ([]raftpb.Message, bool) {
	if !n.HasReady() {
		return out, false
	}
	rd, err := n.Ready()
	if err != nil {
		return out, false
	}
	if !rd.HardState.IsEmpty() {
		_ = n.store.SetHardState(rd.HardState)
	}
	_ = n.store.Append(rd.Entries)
	out = append(out, rd.Messages...)
	for i := range rd.CommittedEntries {
		e := &rd.CommittedEntries[i]
		if len(e.Data) > 0 {
			n.committed++
		}
		n.applied = e.Index
	}
	_ = n.Advance(rd)
	return out, true
}
