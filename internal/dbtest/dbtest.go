// Package dbtest makes databases for tests with etcd's own store, and plants into them what no etcd
// writes. Only tests import it.
package dbtest

import (
	"context"
	"fmt"
	"testing"

	"go.etcd.io/bbolt"
	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/pkg/v3/traceutil"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
	"go.etcd.io/etcd/server/v3/lease"
	"go.etcd.io/etcd/server/v3/storage/backend"
	"go.etcd.io/etcd/server/v3/storage/mvcc"
	"go.etcd.io/etcd/server/v3/storage/schema"
	"go.uber.org/zap"
)

// Store is a database that is being written by etcd's store.
type Store struct {
	tb      testing.TB
	backend backend.Backend
	lessor  lease.Lessor
	kv      mvcc.WatchableKV
}

// New returns a new store at a path, of a cluster with one member.
func New(tb testing.TB, path string) *Store {
	tb.Helper()
	lg := zap.NewNop()
	cfg := backend.DefaultBackendConfig(lg)
	cfg.Path, cfg.UnsafeNoFsync = path, true
	s := &Store{tb: tb, backend: backend.New(cfg)}
	tx := s.backend.BatchTx()
	tx.Lock()
	schema.UnsafeCreateMetaBucket(tx)
	for _, b := range []backend.Bucket{schema.Alarm, schema.Auth, schema.AuthUsers, schema.AuthRoles, schema.Cluster,
		schema.Members, schema.MembersRemoved} {
		tx.UnsafeCreateBucket(b)
	}
	schema.UnsafeUpdateConsistentIndex(tx, 3, 2)
	tx.Unlock()
	const id = 0x8e9e05c52164694d
	schema.NewMembershipBackend(lg, s.backend).MustSaveMemberToBackend(&membership.Member{
		ID: types.ID(id), RaftAttributes: membership.RaftAttributes{PeerURLs: []string{"http://localhost:2380"}},
		Attributes: membership.Attributes{Name: "m1", ClientURLs: []string{"http://localhost:2379"}},
	})
	s.lessor = lease.NewLessor(lg, s.backend, nil, lease.LessorConfig{MinLeaseTTL: 5})
	s.kv = mvcc.New(lg, s.backend, s.lessor, mvcc.StoreConfig{})
	return s
}

// Put puts a key, and returns the revision.
func (s *Store) Put(key, value string, leaseID int64) int64 {
	return s.kv.Put([]byte(key), []byte(value), lease.LeaseID(leaseID))
}

// Delete deletes a key, or the keys up to end, and returns the revision.
func (s *Store) Delete(key, end string) int64 {
	var to []byte
	if end != "" {
		to = []byte(end)
	}
	_, rev := s.kv.DeleteRange([]byte(key), to)
	return rev
}

// Txn does several changes in one revision.
func (s *Store) Txn(do func(put func(key, value string), del func(key string))) {
	tx := s.kv.Write(traceutil.TODO())
	defer tx.End()
	do(func(key, value string) { tx.Put([]byte(key), []byte(value), lease.NoLease) },
		func(key string) { tx.DeleteRange([]byte(key), nil) })
}

// Grant grants a lease.
func (s *Store) Grant(id, ttl int64) {
	s.tb.Helper()
	if _, err := s.lessor.Grant(lease.LeaseID(id), ttl); err != nil {
		s.tb.Fatal(err)
	}
}

// Compact compacts up to a revision, and waits until that is done.
func (s *Store) Compact(rev int64) {
	s.tb.Helper()
	done, err := s.kv.Compact(traceutil.TODO(), rev)
	if err != nil {
		s.tb.Fatal(err)
	}
	<-done
}

// Hash returns etcd's hash up to a revision.
func (s *Store) Hash(rev int64) mvcc.KeyValueHash {
	s.tb.Helper()
	h, _, err := s.kv.HashStorage().HashByRev(rev)
	if err != nil {
		s.tb.Fatal(err)
	}
	return h
}

// Range returns the keys at a revision, as etcd tells them; 0 for the newest.
func (s *Store) Range(rev int64) *mvcc.RangeResult {
	s.tb.Helper()
	r, err := s.kv.Range(context.Background(), []byte{0}, []byte{}, mvcc.RangeOptions{Rev: rev})
	if err != nil {
		s.tb.Fatal(err)
	}
	return r
}

// Close ends the store; the database is then as etcd leaves it when it is stopped.
func (s *Store) Close() {
	s.tb.Helper()
	s.kv.Commit()
	s.kv.Close()
	s.lessor.Stop()
	if err := s.backend.Close(); err != nil {
		s.tb.Fatal(err)
	}
}

// Edit changes a database behind etcd's back, in the form that etcd on Linux leaves: without a list of
// free pages.
func Edit(tb testing.TB, path string, do func(tx *bbolt.Tx) error) {
	tb.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoFreelistSync: true, NoSync: true})
	if err == nil {
		err = db.Update(do)
	}
	if err != nil {
		tb.Fatal(fmt.Errorf("edit %s: %w", path, err))
	}
	if err := db.Close(); err != nil {
		tb.Fatal(err)
	}
}
