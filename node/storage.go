package node

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
)

// memory is the log as the core reads it: what the log on disk has, without what is far behind. Its
// snapshot is always of what was applied last; the state itself is added by whoever sends it.
type memory struct {
	*raft.MemoryStorage
	applied atomic.Pointer[raftpb.SnapshotMetadata]
	holds   atomic.Int32 // snapshots on their way, for whose receivers the log must reach back
	kept    kept         // the applier's
}

// newMemory returns a log whose entries begin behind base, of a member that has applied up to a later entry
// or base itself.
func newMemory(base, applied raftpb.EntryID, cs raftpb.ConfState) (*memory, error) {
	m := &memory{MemoryStorage: raft.NewMemoryStorage()}
	m.setApplied(applied, cs)
	if base.Index == 0 {
		return m, nil
	}
	return m, m.ApplySnapshot(raftpb.Snapshot{
		Metadata: raftpb.SnapshotMetadata{ConfState: cs, Index: base.Index, Term: base.Term},
	})
}

// InitialState implements raft.Storage: the membership is that of the applied state.
func (m *memory) InitialState() (raftpb.HardState, raftpb.ConfState, error) {
	state, _, err := m.MemoryStorage.InitialState()
	return state, m.applied.Load().ConfState, err
}

// Snapshot implements raft.Storage. Of a member that has applied nothing there is none.
func (m *memory) Snapshot() (raftpb.Snapshot, error) {
	return raftpb.Snapshot{Metadata: *m.applied.Load()}, nil
}

// setApplied tells what was applied last, and the membership then.
func (m *memory) setApplied(id raftpb.EntryID, cs raftpb.ConfState) {
	m.applied.Store(&raftpb.SnapshotMetadata{ConfState: cs, Index: id.Index, Term: id.Term})
}

// dropStep is how many entries are dropped from memory at a time, to save work, between two snapshots. As in etcd,
// a snapshot drops them in any case.
const dropStep = 100

// dropBefore drops the entries far behind the applied one, all but so many, if there are at least so many. However
// few they are, those go that are large.
func (m *memory) dropBefore(applied, keep, least uint64) error {
	if m.holds.Load() > 0 {
		return nil
	}
	first, err := m.FirstIndex()
	if err != nil {
		return err
	}
	upTo := applied - min(keep, applied)
	if large := m.kept.beyond(maxKeptBytes); large > upTo {
		upTo, least = large, 0
	}
	if upTo < first+least {
		return nil
	}
	if err := m.Compact(upTo); err != nil && !errors.Is(err, raft.ErrCompacted) {
		return fmt.Errorf("drop entries up to %d from memory: %w", upTo, err)
	}
	m.kept.drop(upTo)
	return nil
}
