package kv

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/coreos/go-semver/semver"
	bolterrors "go.etcd.io/bbolt/errors"
	"go.uber.org/zap"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/auth"
	"go.etcd.io/etcd/server/v3/etcdserver/api"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3alarm"
	"go.etcd.io/etcd/server/v3/etcdserver/apply"
	"go.etcd.io/etcd/server/v3/etcdserver/cindex"
	"go.etcd.io/etcd/server/v3/lease"
	"go.etcd.io/etcd/server/v3/storage/backend"
	"go.etcd.io/etcd/server/v3/storage/mvcc"
	"go.etcd.io/etcd/server/v3/storage/schema"

	"github.com/raftctl/raftctl/raftpb"
)

// FileName is the name of the database in a member's folder member/snap.
const FileName = "db"

// Store is the state machine. Apply, Commit, Snapshot, Restore, Defrag and Close are for one goroutine;
// the others, and the parts that clients read, may be used by any, beside it.
type Store struct {
	o    Options
	lg   *zap.Logger
	path string

	failure *failure
	status  *ownStatus

	mu      sync.Mutex // guards what other goroutines ask for, and Apply or Restore replaces
	applied raftpb.EntryID
	backend backend.Backend
	alarms  *v3alarm.AlarmStore

	index     cindex.ConsistentIndexer
	hooks     *hooks // of backend
	confState []byte // of the change that is being applied, until a transaction has it; nil: none
	cluster   *membership.RaftCluster
	lessor    lease.Lessor
	kv        mvcc.WatchableKV
	auth      auth.AuthStore
	applier   apply.UberApplier
}

// Open opens the database in a folder, or makes a new one. The error is for a file that is no database
// of etcd's, is of a later release, is shorter than it says, or is held by another process, which is
// [ErrLocked]; the first three leave the file as it is.
func Open(dir string, o Options) (*Store, error) {
	o.setDefaults()
	s := &Store{o: o, path: filepath.Join(dir, FileName), failure: newFailure()}
	s.lg = s.failure.logger(o.Logger)
	s.status = &ownStatus{member: types.ID(o.Member), forceSnapshotCalled: o.ForceSnapshot}
	s.index = cindex.NewConsistentIndex(nil)
	if _, err := inspect(s.path); err != nil && !errors.Is(err, errNew) {
		return nil, fmt.Errorf("%s: %w", s.path, err)
	}
	err := s.failure.guard(s.open)
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("%s: %w", s.path, ErrLocked)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", s.path, err)
	}
	s.failure.file = s.path
	s.failure.tell = o.Fatal // from here on it has a store to tell of
	return s, nil
}

// open opens the parts, in the order in which they need each other.
func (s *Store) open() error {
	s.backend, s.hooks = s.openBackend()
	s.index.SetBackend(s.backend)
	schema.CreateMetaBucket(s.backend.BatchTx())
	if err := schema.Validate(s.lg, s.backend.ReadTx()); err != nil {
		return errors.Join(err, s.backend.Close())
	}
	s.applied.Index = s.index.ConsistentIndex() // loads it: until then the hook saves nothing
	_, s.applied.Term = schema.ReadConsistentIndex(s.backend.ReadTx())

	s.cluster = membership.NewCluster(s.lg, membership.WithMaxLearners(s.o.MaxLearners))
	s.cluster.SetID(types.ID(s.o.Member), types.ID(s.o.Cluster))
	s.recoverCluster()

	// The lessor before the store, which attaches keys to leases.
	s.lessor = lease.NewLessor(s.lg, s.backend, s.cluster, lease.LessorConfig{
		MinLeaseTTL:        s.o.MinLeaseTTL,
		CheckpointInterval: s.o.CheckpointInterval,
		CheckpointPersist:  s.o.CheckpointPersist,
	})
	s.kv = mvcc.New(s.lg, s.backend, s.lessor, mvcc.StoreConfig{
		CompactionBatchLimit: s.o.CompactionBatch, CompactionSleepInterval: s.o.CompactionPause,
	})
	tokens, err := auth.NewTokenProvider(s.lg, s.o.AuthToken, s.o.AppliedWait, s.o.TokenTTL)
	if err != nil {
		return errors.Join(err, s.close())
	}
	s.auth = auth.NewAuthStore(s.lg, schema.NewAuthBackend(s.lg, s.backend), tokens, s.o.BcryptCost)
	if err := s.newApplier(); err != nil {
		return errors.Join(err, s.close())
	}
	// Last: what was opened above has written, and must not move the index.
	s.backend.SetTxPostLockInsideApplyHook(s.beginChange)
	return nil
}

func (s *Store) openBackend() (backend.Backend, *hooks) {
	h := &hooks{failure: s.failure, index: s.index}
	c := backend.DefaultBackendConfig(s.lg)
	c.Path, c.Hooks, c.UnsafeNoFsync, c.Timeout = s.path, h, s.o.NoSync, s.o.LockTimeout
	if s.o.BatchInterval != 0 {
		c.BatchInterval = s.o.BatchInterval
	}
	if s.o.BatchLimit != 0 {
		c.BatchLimit = s.o.BatchLimit
	}
	return backend.New(c), h
}

func (s *Store) recoverCluster() {
	s.cluster.SetBackend(schema.NewMembershipBackend(s.lg, s.backend))
	s.cluster.Recover(api.UpdateCapability)
}

// newApplier makes the applier for the alarms that are in the database.
func (s *Store) newApplier() error {
	alarms, err := v3alarm.NewAlarmStore(s.lg, schema.NewAlarmBackend(s.lg, s.backend))
	if err != nil {
		return fmt.Errorf("alarms: %w", err)
	}
	s.mu.Lock()
	s.alarms = alarms
	s.mu.Unlock()
	var status apply.RaftStatusGetter = s.status
	if s.o.Status != nil {
		status = s.o.Status
	}
	s.applier = apply.NewUberApplier(apply.ApplierOptions{
		Logger:                       s.lg,
		KV:                           s.kv,
		AlarmStore:                   s.alarms,
		AuthStore:                    s.auth,
		Lessor:                       s.lessor,
		Cluster:                      s.cluster,
		RaftStatus:                   status,
		SnapshotServer:               s.status,
		ConsistentIndex:              s.index,
		TxnModeWriteWithSharedBuffer: true,
		Backend:                      s.backend,
		QuotaBackendBytesCfg:         s.o.QuotaBytes,
		WarningApplyDuration:         slowApply,
	})
	return nil
}

// beginChange runs whenever a transaction of an apply takes its lock: from then on what it changes
// belongs to the entry.
func (s *Store) beginChange() {
	index, term := s.index.ConsistentApplyingIndex()
	if index > s.index.UnsafeConsistentIndex() {
		s.index.SetConsistentIndex(index, term)
	}
	if s.confState != nil {
		s.hooks.confState, s.confState = s.confState, nil
	}
}

// Path returns where the database lies.
func (s *Store) Path() string { return s.path }

// Applied returns the last entry that was applied. Its term is 0 if a release before 3.5 applied it.
func (s *Store) Applied() raftpb.EntryID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.applied
}

func (s *Store) setApplied(id raftpb.EntryID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.applied = id
}

// KV returns the keys, with their history and watches.
func (s *Store) KV() mvcc.WatchableKV { return s.kv }

// Lessor returns the leases.
func (s *Store) Lessor() lease.Lessor { return s.lessor }

// Auth returns users and roles.
func (s *Store) Auth() auth.AuthStore { return s.auth }

// Cluster returns the members, and the cluster's version.
func (s *Store) Cluster() *membership.RaftCluster { return s.cluster }

// Alarms returns the alarms that are raised.
func (s *Store) Alarms() []*etcdserverpb.AlarmMember {
	s.mu.Lock()
	alarms := s.alarms
	s.mu.Unlock()
	return alarms.Get(etcdserverpb.AlarmType_NONE)
}

// Size returns the size of the database in bytes, and how much of it is in use.
func (s *Store) Size() (size, inUse int64) {
	b := s.database()
	return b.Size(), b.SizeInUse()
}

func (s *Store) database() backend.Backend {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.backend
}

// HashKV returns the hash over the history of the keys up to a revision, 0 for the current one, by which
// members are compared, and the current revision.
func (s *Store) HashKV(revision int64) (hash mvcc.KeyValueHash, current int64, err error) {
	err = s.failure.guard(func() (err error) {
		hashes := s.kv.HashStorage()
		hash, current, err = hashes.HashByRev(revision)
		if err == nil && revision == 0 && hash.Revision == 0 {
			// What was kept of a compaction up to revision 0: etcd takes it for that of the current one.
			hash, current, err = hashes.HashByRev(current)
		}
		return err
	})
	return hash, current, err
}

// Hash returns the hash over the whole database, without what differs from member to member.
func (s *Store) Hash() (hash uint32, err error) {
	err = s.failure.guard(func() (err error) {
		hash, _, err = s.kv.HashStorage().Hash()
		return err
	})
	return hash, err
}

// SetStorageVersion writes the form of the database beside what the log says, as etcd 3.6 and 3.7 do when
// the version of the cluster has changed. For earlier versions, and none, it does nothing.
func (s *Store) SetStorageVersion() error {
	return s.failure.guard(func() error {
		v := s.cluster.Version()
		if v == nil || v.LessThan(semver.Version{Major: 3, Minor: 6}) {
			return nil
		}
		tx := s.database().BatchTx()
		tx.LockOutsideApply()
		defer tx.Unlock()
		schema.UnsafeSetStorageVersion(tx, v)
		return nil
	})
}

// Defrag rewrites the database without the room that nothing uses. Nothing is read or applied meanwhile.
func (s *Store) Defrag() error { return s.failure.guard(s.backend.Defrag) }

// Commit ends the current transaction of the database: what was applied is durable when it returns,
// unless NoSync is set. A log's record of a snapshot may be written after it only.
func (s *Store) Commit() error {
	return s.failure.guard(func() error {
		s.kv.Commit()
		return nil
	})
}

// Close commits, and closes the database. That of a store that has failed is left as it is, and the
// process holds its lock until it ends: a library that gave up doesn't let go of it.
func (s *Store) Close() error {
	if s.failure.get() != nil {
		return nil
	}
	return s.failure.guard(s.close)
}

func (s *Store) close() error {
	s.lessor.Stop()
	err := s.kv.Close()
	if s.auth != nil {
		err = errors.Join(err, s.auth.Close())
	}
	return errors.Join(err, s.backend.Close())
}
