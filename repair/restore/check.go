package restore

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/staging"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/snapshot/database"
	"github.com/raftctl/raftctl/wal"
)

// check reads what was written for a member, as far as it is new: the log, the .snap file, and in the
// database what was edited.
func (r *run) check(ctx context.Context, s *staged) error {
	if err := r.checkLog(ctx, s); err != nil {
		return fmt.Errorf("reading what was written: %w", err)
	}
	if err := r.checkDatabase(ctx, s); err != nil {
		return fmt.Errorf("reading what was written: %w", err)
	}
	return nil
}

func (r *run) checkLog(ctx context.Context, s *staged) error {
	p := r.plan
	id := raftpb.EntryID{Term: term, Index: p.lastIndex()}
	snap, err := snapshot.Read(vfs.DirFS(r.fs, s.Snap()), ".", id)
	if err != nil {
		return err
	}
	if !slices.Equal(snap.Metadata.ConfState.Voters, p.Cluster.ids()) {
		return fmt.Errorf(".snap file of members %x, want %x", snap.Metadata.ConfState.Voters, p.Cluster.ids())
	}
	log, err := wal.Open(vfs.DirFS(r.fs, filepath.Dir(s.Log())), filepath.Base(s.Log()))
	if err != nil {
		return err
	}
	report, err := log.Verify(ctx, wal.VerifyOptions{Snapshots: []raftpb.EntryID{id}})
	if err = errors.Join(err, log.Close()); err != nil {
		return err
	}
	switch want := (raftpb.HardState{Term: term, Vote: p.vote(), Commit: p.lastIndex()}); {
	case report.Verdict != verdict.OK:
		return fmt.Errorf("log: %s", report.Findings[0].String())
	case report.Last != id || report.State != want:
		return fmt.Errorf("log: up to entry %v with hard state %+v, want %v and %+v", report.Last, report.State, id, want)
	}
	return nil
}

func (r *run) checkDatabase(ctx context.Context, s *staged) error {
	p := r.plan
	db, err := database.Open(ctx, vfs.DirFS(r.fs, s.Snap()), staging.DatabaseName, database.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // opened for reading
	meta, metaErr := db.Meta()
	members, membersErr := db.Members()
	alarms, alarmsErr := db.Alarms()
	revision, _, revisionErr := db.Now(ctx)
	if err := errors.Join(metaErr, membersErr, alarmsErr, revisionErr); err != nil {
		return err
	}
	var ids []uint64
	for _, m := range members.Members {
		ids = append(ids, m.ID)
	}
	m := db.Bolt().Meta()
	switch {
	case uint64(db.Size()/m.PageSize) < m.HighWater:
		return fmt.Errorf("database of %d bytes, want %d pages of %d", db.Size(), m.HighWater, m.PageSize)
	case meta.ConsistentIndex != p.lastIndex() || meta.Term != term:
		return fmt.Errorf("database as of entry %d of term %d, want %d of term %d",
			meta.ConsistentIndex, meta.Term, p.lastIndex(), term)
	case !slices.Equal(ids, p.Cluster.ids()) || len(members.Removed) > 0:
		return fmt.Errorf("database of members %x, %x removed, want %x", ids, members.Removed, p.Cluster.ids())
	case revision != p.Revision:
		return fmt.Errorf("database at revision %d, want %d", revision, p.Revision)
	case meta.StorageVersion != p.Storage.To:
		return fmt.Errorf("database of storage version %q, want %q", meta.StorageVersion, p.Storage.To)
	case p.o.ClearAlarms && len(alarms) > 0:
		return fmt.Errorf("database with %d alarms, want none", len(alarms))
	}
	return nil
}
