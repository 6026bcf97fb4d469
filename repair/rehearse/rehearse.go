package rehearse

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"go.etcd.io/etcd/client/pkg/v3/types"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/crosscheck"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/wal"
)

// Options say which member is rehearsed.
type Options struct {
	FS       vfs.FS                               // nil: the machine's
	SnapDir  string                               // with the database, and .snap files
	WALDir   string                               // with the log
	Scratch  string                               // a folder for the copy, which is made, and removed at the end
	Progress func(stage Stage, done, total int64) // in bytes; may be nil
}

// Stage is a part of a rehearsal that takes long.
type Stage string

// The stages.
const (
	StageCopy Stage = "copy"
	StageRead Stage = "read" // of all keys; total is the size of the database
)

// Report says how the member came up.
type Report struct {
	Member, Cluster uint64
	Snapshot        raftpb.EntryID // that it started from; zero for the beginning of the log
	Last            raftpb.EntryID // the last entry that is applied
	Replayed        uint64         // entries that the database didn't have
	ConfState       raftpb.ConfState

	Revision, Compacted int64
	Keys, KeyBytes      int64 // that a client reads at that revision, and the bytes of keys and values
	Leases              int
	Hash                uint32 // HashKV at the revision

	// Refused says why the member takes no writes, such as an alarm; empty if it does.
	Refused string
}

// Run rehearses the start of a member. The error says what keeps it from starting.
func Run(ctx context.Context, o Options) (_ *Report, err error) {
	if o.FS == nil {
		o.FS = vfs.OS
	}
	m := &member{Options: o, report: new(Report)}
	defer func() { err = errors.Join(err, m.close(), o.FS.RemoveAll(o.Scratch)) }()
	if err := m.copyFiles(ctx); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{m.openLog, m.openStore, m.applyLog, m.readKeys, m.writeOne} {
		if err := step(ctx); err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return m.report, nil
}

// member is a member that is being rehearsed.
type member struct {
	Options

	log     *wal.Writer
	found   *wal.Recovered
	members *raftpb.ConfState // that the log makes; nil if it doesn't tell
	store   *kv.Store
	report  *Report
}

func (m *member) close() (err error) {
	if m.store != nil {
		err = m.store.Close()
	}
	if m.log != nil {
		err = errors.Join(err, m.log.Close())
	}
	return err
}

// openLog opens the copy of the log at the newest snapshot.
func (m *member) openLog(ctx context.Context) error {
	dir := filepath.Join(m.Scratch, walName)
	log, err := wal.Open(vfs.DirFS(m.FS, dir), ".")
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // opened for reading
	view, err := log.View(ctx)
	if err != nil {
		return err
	}
	if s := view.NewestSnapshot(); s != nil {
		m.report.Snapshot = s.EntryID
		if err := m.checkSnapshot(s); err != nil {
			return err
		}
	}
	if m.members, err = crosscheck.Replay(ctx, log, view, min(view.State.Commit, view.LastIndex())); err != nil {
		return err
	}
	m.report.Member, m.report.Cluster = view.Metadata.NodeID, view.Metadata.ClusterID
	m.log, m.found, err = wal.OpenForAppend(m.FS, dir, wal.AppendOptions{At: m.report.Snapshot})
	return err
}

// checkSnapshot reads the .snap file of a snapshot in the log, if there is one: releases up to 3.6 start
// from it. Without it they start from the beginning of the log, and 3.7 does without.
func (m *member) checkSnapshot(s *wal.SnapshotRef) error {
	fsys := vfs.DirFS(m.FS, m.SnapDir)
	ids, err := snapshot.List(fsys, ".")
	if err != nil {
		return err
	}
	for _, id := range ids {
		if id != s.EntryID {
			continue
		}
		snap, err := snapshot.Read(fsys, ".", id)
		if err != nil {
			return err
		}
		if s.ConfState != nil && !sameMembers(&snap.Metadata.ConfState, s.ConfState) {
			return fmt.Errorf("%s: members %v, want %v as in the log", snapshot.FileName(id),
				&snap.Metadata.ConfState, s.ConfState)
		}
	}
	return nil
}

// openStore opens the copy of the database.
func (m *member) openStore(context.Context) (err error) {
	m.store, err = kv.Open(filepath.Join(m.Scratch, snapName), kv.Options{
		Member: m.report.Member, Cluster: m.report.Cluster, QuotaBytes: -1, NoSync: true, WaitCompaction: true,
	})
	if err != nil {
		return err
	}
	if got, base := m.store.Applied().Index, m.report.Snapshot.Index; got < base {
		return fmt.Errorf("the database has applied entries up to %d, and the log starts from a snapshot of those up to %d",
			got, base)
	}
	return nil
}

// applyLog applies what is committed, and compares the members.
func (m *member) applyLog(context.Context) error {
	before := m.store.Applied()
	if last := m.log.Last(); before.Index > last {
		return fmt.Errorf("the database has applied entries up to %d, and the log ends at %d", before.Index, last)
	}
	for i := range m.found.Entries {
		if m.found.Entries[i].Index > m.found.State.Commit {
			break
		}
		if _, err := m.store.Apply(m.found.Entries[i : i+1]); err != nil {
			return err
		}
	}
	m.report.Last = m.store.Applied()
	m.report.Replayed = m.report.Last.Index - before.Index
	m.report.ConfState = m.store.ConfState()
	return m.checkMembers()
}

// checkMembers compares the members in the database with those that the log makes, and asks whether this
// one is among them: an etcd that starts tells the others its name and addresses, and ends if it isn't.
func (m *member) checkMembers() error {
	self := types.ID(m.report.Member)
	if m.store.Cluster().IsIDRemoved(self) {
		return fmt.Errorf("member %s was removed from the cluster", self)
	}
	if m.store.Cluster().Member(self) == nil {
		return fmt.Errorf("the log is that of member %s, which the database doesn't have among %v", self, &m.report.ConfState)
	}
	if m.members != nil && !sameMembers(&m.report.ConfState, m.members) {
		return fmt.Errorf("the database has the members %v, and the log makes them %v", &m.report.ConfState, m.members)
	}
	return nil
}
