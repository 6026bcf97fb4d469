package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/wal"
)

// boot opens a member's log and database, and applies what is committed and not in the database. It takes
// the locks that etcd takes, in the order in which etcd takes them.
func (n *Node) boot(ctx context.Context) error {
	view, err := n.viewLog(ctx)
	if err != nil {
		return err
	}
	at := newestSnapshot(view)
	if err := n.placeDatabase(at); err != nil {
		return err
	}
	if n.store, err = n.openStore(view.Metadata); err != nil {
		return err
	}
	n.applier.onDisk = at
	r := &replay{store: n.store, at: at, keep: n.cfg.CatchUpEntries}
	writer, found, err := wal.OpenForAppend(n.cfg.fs, n.cfg.walDir(), wal.AppendOptions{
		At: at, CutTorn: true, NoEntries: true, Replay: r.record, WriterOptions: n.writerOptions(),
	})
	if err != nil {
		return withDoctor(n.cfg.DataDir, err)
	}
	n.wal = writer
	if found.Torn.Len > 0 {
		n.log.Warn("cut off an incomplete last write", "segment", found.Torn.At.Segment, "offset", found.Torn.At.Off,
			"bytes", found.Torn.Len)
	}
	state := found.State
	if n.cfg.ForceNewCluster {
		if state, err = n.forceNew(r, state); err != nil {
			return withDoctor(n.cfg.DataDir, err)
		}
	}
	if n.memory, err = r.finish(state); err != nil {
		return withDoctor(n.cfg.DataDir, err)
	}
	if n.isRemoved() {
		return n.removedError("")
	}
	n.appended.Trigger(state.Commit)
	if err := n.chooseRelease(); err != nil {
		return err
	}
	n.wal.SetFlavor(n.cfg.flavor()) // it was opened when the release wasn't known
	n.store.Cluster().SetVersionChangedNotifier(n.versions.changed)
	return n.memory.SetHardState(state)
}

// viewLog reads the log once, to see whose it is and which snapshots it knows.
func (n *Node) viewLog(ctx context.Context) (*wal.View, error) {
	log, err := wal.Open(vfs.DirFS(n.cfg.fs, n.cfg.walDir()), ".")
	if err != nil {
		return nil, withDoctor(n.cfg.DataDir, err)
	}
	view, err := log.View(ctx)
	if err = errors.Join(err, log.Close()); err != nil {
		return nil, err
	}
	if err := view.MetadataErr; err != nil || view.Metadata.NodeID == raftpb.None {
		why := fmt.Errorf("%s doesn't say whose log it is", n.cfg.walDir())
		if err != nil {
			why = fmt.Errorf("%w: %w", why, err)
		}
		return nil, withDoctor(n.cfg.DataDir, why)
	}
	return view, nil
}

// newestSnapshot returns the snapshot that the log is read from: the newest that is committed.
func newestSnapshot(v *wal.View) (at raftpb.EntryID) {
	for _, s := range v.Snapshots {
		if s.Valid && s.Index >= at.Index {
			at = s.EntryID
		}
	}
	return at
}

// placeDatabase puts a database that the leader sent in its place, if the member was stopped between the
// log's record of it and that. A database behind the log's snapshot is refused: the entries between are
// nowhere.
func (n *Node) placeDatabase(at raftpb.EntryID) error {
	if at.Index == 0 {
		return nil
	}
	index, err := kv.AppliedIn(n.databasePath())
	if err != nil {
		return withDoctor(n.cfg.DataDir, err)
	}
	if index >= at.Index {
		return nil
	}
	received := filepath.Join(n.cfg.snapDir(), snapshot.DBFileName(at.Index))
	switch _, err := n.cfg.fs.Stat(received); {
	case errors.Is(err, fs.ErrNotExist):
		return withDoctor(n.cfg.DataDir, fmt.Errorf(
			"%s has applied entry %d, and the log begins behind the snapshot of entry %d", n.databasePath(), index, at.Index))
	case err != nil:
		return err
	}
	return n.whileHeld(func() error {
		if err := n.cfg.fs.Rename(received, n.databasePath()); err != nil {
			return err
		}
		return n.cfg.fs.SyncDir(n.cfg.snapDir())
	})
}

// whileHeld calls a function while no other process writes the log, which holds its last segment.
func (n *Node) whileHeld(f func() error) error {
	name, err := n.cfg.lastSegment()
	if err != nil {
		return err
	}
	segment, err := n.cfg.fs.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err = segment.Lock(); err == nil {
		err = f()
	}
	return errors.Join(err, segment.Close())
}

func (n *Node) databasePath() string { return filepath.Join(n.cfg.snapDir(), kv.FileName) }

// openStore opens the state machine of a member.
func (n *Node) openStore(whose wal.Metadata) (*kv.Store, error) {
	c := &n.cfg
	n.standing.id, n.cluster = whose.NodeID, whose.ClusterID
	store, err := kv.Open(c.snapDir(), kv.Options{
		Member: whose.NodeID, Cluster: whose.ClusterID, MaxLearners: c.MaxLearners,
		QuotaBytes: c.QuotaBytes, MinLeaseTTL: c.minLeaseTTL(), CheckpointInterval: c.LeaseCheckpointInterval,
		CheckpointPersist: c.LeaseCheckpointPersist,
		AuthToken:         c.AuthToken, TokenTTL: c.TokenTTL, BcryptCost: c.BcryptCost,
		BatchInterval: c.BatchInterval, BatchLimit: c.BatchLimit,
		CompactionBatch: c.CompactionBatch, CompactionPause: c.CompactionPause, NoSync: c.NoSync,
		ConfChange: n.applier.confChange, Waiters: n.waiters, AppliedWait: n.AppliedWait,
		Status: &n.standing, ForceSnapshot: func() { n.standing.forced.Store(true) },
		NoSpace: n.noSpace, Fatal: n.fail, Logger: zapLogger(n.log),
	})
	if err != nil && !errors.Is(err, kv.ErrLocked) {
		return nil, withDoctor(c.DataDir, err)
	}
	return store, err
}

func (n *Node) writerOptions() wal.WriterOptions {
	o := wal.WriterOptions{Flavor: n.cfg.flavor(), NoSync: n.cfg.NoSync, OnSync: n.synced}
	if size := n.cfg.machine.SegmentSize; size > 0 {
		o = o.WithSegments(size)
	}
	return o
}
