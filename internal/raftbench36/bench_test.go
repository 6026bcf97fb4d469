package raftbench36

import (
	"testing"

	ref "go.etcd.io/raft/v3"
	refpb "go.etcd.io/raft/v3/raftpb"

	"github.com/raftctl/raftctl/internal/raftbench"
)

// BenchmarkRaft measures this package beside the reference, version 3.7. Version 3.6 stands beside
// it in internal/raftbench36.
func BenchmarkRaft(b *testing.B) {
	raftbench.Run(b, raftbench.Benchmarks(&raftbench.Ours), raftbench.Benchmarks(&reference))
}

var reference = raftbench.Implementation[refpb.Message]{
	Name: "ref36",
	New:  func(c raftbench.Config) (raftbench.Node[refpb.Message], error) { return newRefNode(c) },
	To:   func(m *refpb.Message) uint64 { return m.To },
}

type refNode struct {
	*ref.RawNode
	config    ref.Config
	store     *ref.MemoryStorage
	applied   uint64
	committed int
}

func newRefNode(c raftbench.Config) (*refNode, error) {
	n := &refNode{store: ref.NewMemoryStorage(), applied: raftbench.FirstIndex}
	n.config = ref.Config{
		ID: c.ID, ElectionTick: c.ElectionTick, HeartbeatTick: c.HeartbeatTick, Storage: n.store,
		MaxSizePerMsg: c.MaxSizePerMsg, MaxInflightMsgs: c.MaxInflightMsgs, Logger: silent{},
	}
	snap := refpb.Snapshot{Metadata: refpb.SnapshotMetadata{
		Index: raftbench.FirstIndex, Term: 1, ConfState: refpb.ConfState{Voters: c.Voters},
	}}
	if err := n.store.ApplySnapshot(snap); err != nil {
		return nil, err
	}
	hs := refpb.HardState{Term: 1, Commit: raftbench.FirstIndex}
	if err := n.store.SetHardState(hs); err != nil {
		return nil, err
	}
	return n, n.Restart()
}

func (n *refNode) Restart() error {
	n.config.Applied = n.applied
	var err error
	n.RawNode, err = ref.NewRawNode(&n.config)
	return err
}

func (n *refNode) Step(m *refpb.Message) error { return n.RawNode.Step(*m) }
func (n *refNode) Committed() int              { return n.committed }
func (n *refNode) Status()                     { refStatus = n.RawNode.Status() }

var refStatus ref.Status

func (n *refNode) LastIndex() uint64 {
	last, _ := n.store.LastIndex()
	return last
}

func (n *refNode) Compact(keep uint64) error { return n.store.Compact(n.applied - keep) }

func (n *refNode) Idle() { n.Advance(n.Ready()) }

func (n *refNode) Work(out []refpb.Message) ([]refpb.Message, bool) {
	if !n.HasReady() {
		return out, false
	}
	rd := n.Ready()
	if !ref.IsEmptyHardState(rd.HardState) {
		_ = n.store.SetHardState(rd.HardState)
	}
	_ = n.store.Append(rd.Entries)
	out = append(out, rd.Messages...)
	for _, e := range rd.CommittedEntries {
		if len(e.Data) > 0 {
			n.committed++
		}
		n.applied = e.Index
	}
	n.Advance(rd)
	return out, true
}

// silent is a logger that logs nothing.
type silent struct{}

func (silent) Debug(...any)            {}
func (silent) Debugf(string, ...any)   {}
func (silent) Info(...any)             {}
func (silent) Infof(string, ...any)    {}
func (silent) Warning(...any)          {}
func (silent) Warningf(string, ...any) {}
func (silent) Error(...any)            {}
func (silent) Errorf(string, ...any)   {}
func (silent) Fatal(v ...any)          { panic(v) }
func (silent) Fatalf(f string, v ...any) {
	panic(f)
}
func (silent) Panic(v ...any)            { panic(v) }
func (silent) Panicf(f string, v ...any) { panic(f) }
