package kv

import (
	"errors"
	"fmt"
	"os"

	"go.etcd.io/etcd/pkg/v3/traceutil"
	"go.etcd.io/etcd/server/v3/lease"
	"go.etcd.io/etcd/server/v3/storage/schema"

	"github.com/raftctl/raftctl/raftpb"
)

// Restore puts a database that a leader sent, as of entry id, in the place of the current one. It is
// called when the log's record of the snapshot is durable. Watches stay, and are told what they missed;
// transactions that read go on with what they read before.
//
// The file at path must lie in the folder of the database, and is renamed. If the error is not
// [ErrFailed], nothing has changed.
func (s *Store) Restore(path string, id raftpb.EntryID) error {
	if id.Index <= s.applied.Index {
		return fmt.Errorf("snapshot of entry %d, and entry %d is applied", id.Index, s.applied.Index)
	}
	if err := s.failure.get(); err != nil {
		return err
	}
	if err := os.Rename(path, s.path); err != nil { // the open database keeps its inode
		return err
	}
	err := s.failure.guard(func() error { return s.reopen(id) })
	if err != nil {
		s.failure.set(err)
		return s.failure.get()
	}
	s.applied = id
	s.status.index.Store(id.Index)
	s.status.term.Store(id.Term)
	return nil
}

// reopen lets all parts go on with the database that now lies at the store's path.
func (s *Store) reopen(id raftpb.EntryID) error {
	fresh := s.openBackend()
	// Before the lessor, which ends a transaction: the hook would save the old index in it.
	s.index.SetBackend(fresh)
	if got := s.index.ConsistentIndex(); got != id.Index {
		return errors.Join(fmt.Errorf("the database sent has applied entry %d, want %d", got, id.Index), fresh.Close())
	}
	s.lessor.Recover(fresh, func() lease.TxnDelete { return s.kv.Write(traceutil.TODO()) })
	if err := s.kv.Restore(fresh); err != nil {
		return err
	}
	fresh.SetTxPostLockInsideApplyHook(s.beginChange)
	old := s.backend
	s.backend = fresh
	go s.closeOld(old)
	s.auth.Recover(schema.NewAuthBackend(s.lg, fresh))
	s.recoverCluster()
	return s.newApplier()
}

// closeOld closes a database that was replaced. That waits for those who read in it.
func (s *Store) closeOld(old interface{ Close() error }) {
	_ = s.failure.guard(func() error { return old.Close() }) // nothing in it is needed any more
}
