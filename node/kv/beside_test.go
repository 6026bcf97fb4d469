package kv_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"go.etcd.io/etcd/pkg/v3/traceutil"
	"go.etcd.io/etcd/server/v3/storage/mvcc"

	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raftpb"
)

// TestBesideApply asks for all that may be asked for beside Apply, while entries are applied and another's
// snapshot is restored. The race detector is what judges it.
func TestBesideApply(t *testing.T) {
	ahead, s := small(t, t.TempDir(), kv.Options{}), small(t, t.TempDir(), kv.Options{})
	var es []raftpb.Entry
	for i := uint64(5); i < 1000; i++ {
		switch i % 50 {
		case 3:
			es = append(es, addMember(i, i))
		case 4:
			es = append(es, removeMember(i, i-1))
		case 5:
			es = append(es, compaction(i, int64(i)/8))
		case 6:
			es = append(es, grant(i, int64(i), 100))
		default:
			es = append(es, put(i, fmt.Sprintf("key%d", i%20), fmt.Sprint(i)))
		}
	}
	apply(t, ahead, es)
	done := make(chan struct{})
	var all sync.WaitGroup
	for name, ask := range asks(s) {
		all.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := ask(); err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
			}
		})
	}
	w := s.KV().NewWatchStream()
	_, err := w.Watch(t.Context(), 0, []byte("key"), []byte("kez"), 0)
	check(t, err)
	seen := make(chan int64)
	go func() {
		last := int64(0)
		for r := range w.Chan() {
			if r.CompactRevision != 0 {
				t.Errorf("compacted up to %d, and watched up to %d", r.CompactRevision, last)
				break
			}
			for _, e := range r.Events {
				last = e.Kv.ModRevision
			}
			if last == ahead.KV().Rev() {
				break
			}
		}
		seen <- last
	}()
	apply(t, s, es[:400])
	send(t, ahead, s)
	close(done)
	all.Wait()
	if last := <-seen; last != s.KV().Rev() {
		t.Errorf("watched up to revision %d, want %d", last, s.KV().Rev())
	}
	w.Close()
	equal(t, ahead, s)
	check(t, errors.Join(ahead.Close(), s.Close()))
}

// asks are the calls that any goroutine may make.
func asks(s *kv.Store) map[string]func() error {
	return map[string]func() error{
		"range": func() error {
			tx := s.KV().Read(mvcc.ConcurrentReadTxMode, traceutil.TODO())
			defer tx.End()
			_, err := tx.Range(context.Background(), []byte("key"), []byte("kez"), mvcc.RangeOptions{})
			return err
		},
		"hashkv": func() error {
			_, _, err := s.HashKV(0)
			if errors.Is(err, mvcc.ErrCompacted) {
				err = nil
			}
			return err
		},
		"hash":    func() error { _, err := s.Hash(); return err },
		"members": func() error { _, err := s.Membership(); return err },
		"version": s.SetStorageVersion,
		"others": func() error {
			s.Size()
			s.Alarms()
			s.Applied()
			s.ConfState()
			s.Lessor().Leases()
			s.Auth().Revision()
			s.StorageVersion()
			s.DetectedVersion()
			if filepath.Base(s.Path()) != kv.FileName {
				return errors.New(s.Path())
			}
			return nil
		},
	}
}
