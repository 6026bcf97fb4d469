package kv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/etcd/pkg/v3/traceutil"
	"go.etcd.io/etcd/server/v3/lease"
	"go.etcd.io/etcd/server/v3/storage/schema"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
)

// Restore puts a database that a leader sent, as of entry id, in the place of the current one. It is
// called when the file is synced, and the log's record of the snapshot is durable. Watches stay, and are
// told what they missed. It waits for transactions that read: these go on with what they read before.
//
// The file at path must lie in the folder of the database, and is renamed. It is looked at first: if the
// error is not [ErrFailed], nothing has changed. If it is, the file may lie in the database's place.
func (s *Store) Restore(path string, id raftpb.EntryID) error {
	if err := s.failure.get(); err != nil {
		return err
	}
	if applied := s.Applied(); id.Index <= applied.Index {
		return fmt.Errorf("snapshot of entry %d, and entry %d is applied", id.Index, applied.Index)
	}
	index, err := inspect(path)
	if err == nil && index != id.Index {
		err = fmt.Errorf("has applied entry %d, want %d", index, id.Index)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := os.Rename(path, s.path); err != nil { // the open database keeps its inode
		return err
	}
	err = s.failure.guard(func() error {
		return errors.Join(vfs.OS.SyncDir(filepath.Dir(s.path)), s.reopen())
	})
	if err != nil {
		s.failure.set(fmt.Errorf("restore: %w", err))
		return s.failure.get()
	}
	s.setApplied(id)
	s.status.index.Store(id.Index)
	s.status.term.Store(id.Term)
	return nil
}

// reopen lets all parts go on with the database that now lies at the store's path.
func (s *Store) reopen() error {
	fresh, h := s.openBackend()
	// Before the lessor, which ends a transaction: the hook would save the old index in it.
	s.index.SetBackend(fresh)
	s.index.ConsistentIndex() // loads it
	s.lessor.Recover(fresh, func() lease.TxnDelete { return s.kv.Write(traceutil.TODO()) })
	if err := s.kv.Restore(fresh); err != nil {
		return err
	}
	fresh.SetTxPostLockInsideApplyHook(s.beginChange)
	old := s.backend
	s.mu.Lock()
	s.backend, s.hooks = fresh, h
	s.mu.Unlock()
	go s.closeOld(old)
	s.auth.Recover(schema.NewAuthBackend(s.lg, fresh))
	s.recoverCluster()
	return s.newApplier()
}

// closeOld closes a database that was replaced. That waits for those who read in it.
func (s *Store) closeOld(old interface{ Close() error }) {
	_ = s.failure.guard(func() error { return old.Close() }) // nothing in it is needed any more
}
