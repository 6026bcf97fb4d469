package node

import (
	"fmt"
	"time"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/wal"
)

// catchUpTime is how long the log in memory still reaches back after a snapshot was sent, so that its
// receiver finds there what follows. It is etcd's.
const catchUpTime = 30 * time.Second

// afterwards records a snapshot when one is due, and drops from memory what is far behind.
func (a *applier) afterwards() error {
	applied := a.n.store.Applied()
	if err := a.saved(false); err != nil {
		return err
	}
	due := applied.Index-a.onDisk.Index > a.n.cfg.SnapshotCount || a.n.standing.forced.Load()
	least := uint64(dropStep)
	if due && a.saving == nil {
		if err := a.save(applied); err != nil {
			return err
		}
		least = 1
	}
	return a.n.memory.dropBefore(applied.Index, a.n.cfg.CatchUpEntries, least)
}

// save records that the database has everything up to the applied entry: when it has it durably, a .snap
// file for the releases that read one, then a record in the log, behind which the next start reads on. The
// files are written beside the applier.
func (a *applier) save(applied raftpb.EntryID) error {
	a.n.standing.forced.Store(false)
	if err := a.n.store.Commit(); err != nil {
		return err
	}
	snap, err := a.n.snapshotFile(applied)
	if err != nil {
		return err
	}
	a.onDisk, a.saving = applied, make(chan error, 1)
	done := a.saving
	a.n.running.Go(func() { done <- a.n.recordSnapshot(snap) })
	return nil
}

// snapshotFile returns the contents of a .snap file: the membership, as every release can read it.
func (n *Node) snapshotFile(applied raftpb.EntryID) (*raftpb.Snapshot, error) {
	data, err := n.membershipData()
	if err != nil {
		return nil, err
	}
	return &raftpb.Snapshot{Data: data, Metadata: raftpb.SnapshotMetadata{
		ConfState: n.store.ConfState(), Index: applied.Index, Term: applied.Term,
	}}, nil
}

func (n *Node) membershipData() ([]byte, error) {
	members, err := n.store.Membership()
	if err != nil {
		return nil, err
	}
	store, err := snapshot.NewStore(members)
	if err != nil {
		return nil, err
	}
	return store.AppendJSON(nil), nil
}

// recordSnapshot writes the files of a snapshot. The record comes behind a hard state that commits its index:
// else etcd would take no notice of it.
func (n *Node) recordSnapshot(snap *raftpb.Snapshot) error {
	meta := &snap.Metadata
	select {
	case <-n.appended.Wait(meta.Index):
	case <-n.ctx.Done():
		return nil
	}
	if err := snapshot.Write(n.cfg.fs, n.cfg.snapDir(), snap, n.cfg.flavor()); err != nil {
		return fmt.Errorf("%s: %w", n.cfg.snapDir(), err)
	}
	record := wal.Snapshot{Index: meta.Index, Term: meta.Term, ConfState: &meta.ConfState}
	if err := n.wal.SaveSnapshot(record); err != nil {
		return fmt.Errorf("%s: %w", n.cfg.walDir(), err)
	}
	n.log.Info("saved snapshot to disk", "snapshot-index", meta.Index, "snapshot-term", meta.Term) // etcd's words
	return n.wal.ReleaseTo(meta.Index)
}

// saved returns what became of the snapshot that is being recorded, if it is done or to be waited for.
func (a *applier) saved(wait bool) (err error) {
	if a.saving == nil {
		return nil
	}
	if !wait && len(a.saving) == 0 {
		return nil
	}
	err = <-a.saving
	a.saving = nil
	return err
}

func (a *applier) waitSaved() {
	if err := a.saved(true); err != nil {
		a.n.fail(err)
	}
}

// sendSnapshot answers the core's wish to send a snapshot with the state as it is now.
func (a *applier) sendSnapshot(m *raftpb.Message) error {
	state, err := a.n.store.Snapshot()
	if err != nil {
		return err
	}
	snap, err := a.n.snapshotFile(state.ID)
	if err != nil {
		return err
	}
	m.Snapshot = snap
	a.n.memory.holds.Add(1)
	a.n.log.Info("send a snapshot", "to", hex(m.To), "index", state.ID.Index, "bytes", state.Size)
	a.n.transport.SendSnapshot(*m, state)
	return nil
}

// restore puts the database of a snapshot that the leader sent in the place of this member's.
func (a *applier) restore(r *received) error {
	if err := a.saved(true); err != nil {
		return err
	}
	a.n.metrics.restoring.Set(1)
	defer a.n.metrics.restoring.Set(0)
	id := raftpb.EntryID{Term: r.meta.Term, Index: r.meta.Index}
	if err := a.n.store.Restore(r.path, id); err != nil {
		return err
	}
	a.n.log.Info("applied snapshot", "incoming-leader-snapshot-index", id.Index, "incoming-leader-snapshot-term", id.Term)
	a.onDisk = id
	a.n.memory.setApplied(id, a.n.store.ConfState())
	a.n.standing.applied.Store(id.Index)
	a.n.appliedWait.Trigger(id.Index)
	close(r.done)
	a.n.endIfRemoved()
	return a.n.resetPeers()
}
