package kv_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/pkg/v3/traceutil"
	"go.etcd.io/etcd/server/v3/storage/mvcc"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raftpb"
)

// entries that follow those of a small store: all that a database holds.
func furtherEntries() []raftpb.Entry {
	es := []raftpb.Entry{
		addLearner(5, 8), addMember(6, 9), removeMember(7, 9),
		request(8, &pb.InternalRaftRequest{AuthUserAdd: &pb.AuthUserAddRequest{Name: "root", HashedPassword: "eA=="}}),
		request(9, &pb.InternalRaftRequest{AuthRoleAdd: &pb.AuthRoleAddRequest{Name: "root"}}),
		request(10, &pb.InternalRaftRequest{AuthUserGrantRole: &pb.AuthUserGrantRoleRequest{User: "root", Role: "root"}}),
		request(11, &pb.InternalRaftRequest{Alarm: &pb.AlarmRequest{Action: 1, MemberID: 1, Alarm: 1}}),
		grant(12, 70, 100), v2(13, "PUT", "/0/version", "3.6.0"), v2(14, "PUT", "/0/members/1/attributes", `{"name":"one"}`),
		request(15, &pb.InternalRaftRequest{LeaseRevoke: &pb.LeaseRevokeRequest{ID: 7}}),
		request(16, &pb.InternalRaftRequest{Alarm: &pb.AlarmRequest{Action: 2, MemberID: 1, Alarm: 1}}),
	}
	for i := uint64(17); i < 60; i++ {
		es = append(es, put(i, fmt.Sprintf("key%d", i%5), fmt.Sprint(i)))
	}
	es = append(es, del(60, "key1", "key3"),
		request(61, &pb.InternalRaftRequest{Alarm: &pb.AlarmRequest{Action: 1, MemberID: 1, Alarm: 1}}),
		request(62, &pb.InternalRaftRequest{AuthEnable: &pb.AuthEnableRequest{}}))
	return es
}

// TestRestore lets a store that lags take another's snapshot, under a watch, and go on.
func TestRestore(t *testing.T) {
	t.Setenv("ETCD_VERIFY", "all")
	ahead, lags := small(t, t.TempDir(), kv.Options{}), small(t, t.TempDir(), kv.Options{})
	dirs := [2]string{t.TempDir(), t.TempDir()}
	es := furtherEntries()
	apply(t, ahead, es)
	apply(t, lags, es[:20])
	w := lags.KV().NewWatchStream()
	defer w.Close()
	_, err := w.Watch(t.Context(), 0, []byte("a"), []byte("z"), 2)
	check(t, err)

	send(t, ahead, lags)
	if ahead.Applied() != lags.Applied() {
		t.Errorf("entry %v is applied, want %v", lags.Applied(), ahead.Applied())
	}
	equal(t, ahead, lags)
	for i, s := range []*kv.Store{ahead, lags} {
		// with the alarm raised, and authentication on: neither is done
		apply(t, s, []raftpb.Entry{put(63, "refused", "x"), grant(64, 99, 9)})
		s.Alarms()
		apply(t, s, []raftpb.Entry{addMember(65, 10), del(66, "a", "")})
		check(t, os.Rename(filepath.Join(snapshotOf(t, s), kv.FileName), filepath.Join(dirs[i], kv.FileName)))
	}
	equal(t, ahead, lags)
	watched(t, lags, w)
	check(t, errors.Join(ahead.Close(), lags.Close()))
	same(t, readState(t, dirs[0]), readState(t, dirs[1]))
}

// send lets a store restore from a snapshot of another.
func send(t *testing.T, from, to *kv.Store) {
	t.Helper()
	snap, err := from.Snapshot()
	check(t, err)
	path := filepath.Join(filepath.Dir(to.Path()), "received.snap.db")
	f, err := os.Create(path)
	check(t, err)
	_, err = snap.WriteTo(f)
	check(t, errors.Join(err, f.Close(), snap.Close()))
	check(t, to.Restore(path, snap.ID))
}

// equal checks that two stores answer the same.
func equal(t *testing.T, a, b *kv.Store) {
	t.Helper()
	view := func(s *kv.Store) string {
		hash, rev, err := s.HashKV(0)
		check(t, err)
		whole, err := s.Hash()
		check(t, err)
		members, err := s.Membership()
		check(t, err)
		var leases []string
		for _, l := range s.Lessor().Leases() {
			leases = append(leases, fmt.Sprintf("%x %d %v", l.ID, l.TTL(), l.Keys()))
		}
		slices.Sort(leases)
		return toJSON(t, map[string]any{
			"hash": hash, "rev": rev, "whole": whole, "members": members, "alarms": s.Alarms(),
			"auth": s.Auth().IsAuthEnabled(), "authrev": s.Auth().Revision(), "leases": leases,
			"version": s.Cluster().Version(), "conf": s.ConfState(),
		})
	}
	if x, y := view(a), view(b); x != y {
		t.Errorf("the stores differ:\n%s\n%s", x, y)
	}
}

// watched checks that a watch from revision 2 on was told of each change once, in order.
func watched(t *testing.T, s *kv.Store, w mvcc.WatchStream) {
	t.Helper()
	last := s.KV().Rev()
	var got []int64
	for len(got) == 0 || got[len(got)-1] < last {
		for _, e := range (<-w.Chan()).Events {
			got = append(got, e.Kv.ModRevision)
		}
	}
	for i, rev := range got {
		if i > 0 && rev < got[i-1] || i > 0 && rev > got[i-1]+1 {
			t.Fatalf("events of revisions %d", got)
		}
	}
	if want := last; got[0] != 2 || int64(len(got)) != want {
		// one of the revisions deletes two keys
		t.Errorf("%d events of revisions %d to %d, want %d", len(got), got[0], last, want)
	}
}

// TestRestoreWaitsForReads restores while a transaction reads, which sees what it saw before.
func TestRestoreWaitsForReads(t *testing.T) {
	ahead, lags := small(t, t.TempDir(), kv.Options{}), small(t, t.TempDir(), kv.Options{})
	apply(t, ahead, furtherEntries())
	read := lags.KV().Read(mvcc.ConcurrentReadTxMode, traceutil.TODO())
	done := make(chan error)
	go func() {
		defer close(done)
		got, err := read.Range(t.Context(), []byte("a"), []byte("z"), mvcc.RangeOptions{})
		if err == nil && len(got.KVs) != 2 {
			err = fmt.Errorf("%d keys, want 2", len(got.KVs))
		}
		read.End()
		done <- err
	}()
	snap := snapshotOf(t, ahead)
	path := filepath.Join(filepath.Dir(lags.Path()), "received.snap.db")
	check(t, os.Rename(filepath.Join(snap, kv.FileName), path))
	check(t, lags.Restore(path, ahead.Applied()))
	check(t, <-done)
	equal(t, ahead, lags)
	check(t, errors.Join(ahead.Close(), lags.Close()))
}

// TestRestoreRefuses restores from what can't be: the store goes on with what it had.
func TestRestoreRefuses(t *testing.T) {
	ahead := small(t, t.TempDir(), kv.Options{})
	apply(t, ahead, furtherEntries())
	good := filepath.Join(snapshotOf(t, ahead), kv.FileName)
	for name, c := range map[string]struct {
		make func(t *testing.T, path string)
		id   raftpb.EntryID
		want string
	}{
		"no file": {func(*testing.T, string) {}, ahead.Applied(), "no database"},
		"not newer": {func(t *testing.T, path string) {
			link(t, good, path)
		}, raftpb.EntryID{Index: 4}, "entry 4 is applied"},
		"another index": {func(t *testing.T, path string) {
			link(t, good, path)
		}, raftpb.EntryID{Index: 61}, "has applied entry 62, want 61"},
		"no database": {func(t *testing.T, path string) {
			check(t, os.WriteFile(path, make([]byte, 99999), 0o600))
		}, ahead.Applied(), "not a bbolt database"},
		"truncated": {func(t *testing.T, path string) {
			link(t, good, path)
			check(t, os.Truncate(path, 2*4096))
		}, ahead.Applied(), "truncated"},
		"a later release's": {func(t *testing.T, path string) {
			link(t, good, path)
			meta(t, path, "storageVersion", "3.8.0")
		}, ahead.Applied(), "version 3.8.0"},
	} {
		t.Run(name, func(t *testing.T) {
			s := small(t, t.TempDir(), kv.Options{})
			path := filepath.Join(filepath.Dir(s.Path()), "received.snap.db")
			c.make(t, path)
			err := s.Restore(path, c.id)
			if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, kv.ErrFailed) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			apply(t, s, furtherEntries())
			equal(t, ahead, s)
			check(t, s.Close())
		})
	}
	check(t, ahead.Close())
}

func link(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	check(t, err)
	check(t, os.WriteFile(to, b, 0o600))
}

// TestRestoreDamaged restores from a database whose pages are damaged: the store fails, and says so.
func TestRestoreDamaged(t *testing.T) {
	ahead := small(t, t.TempDir(), kv.Options{})
	apply(t, ahead, furtherEntries())
	path := filepath.Join(snapshotOf(t, ahead), kv.FileName)
	b, err := os.ReadFile(path)
	check(t, err)
	state := readState(t, filepath.Dir(path))
	for i := range b {
		if strings.HasPrefix(string(b[i:]), "key4") && len(state["key"]) > 0 {
			copy(b[i-12:], "\xff\xff\xff\xff\xff\xff\xff\xff") // in the middle of a record of bucket key
		}
	}
	told := 0
	s := small(t, t.TempDir(), kv.Options{Fatal: func(error) { told++ }})
	path = filepath.Join(filepath.Dir(s.Path()), "received.snap.db")
	check(t, os.WriteFile(path, b, 0o600))
	if err := s.Restore(path, ahead.Applied()); !errors.Is(err, kv.ErrFailed) {
		t.Errorf("error %v, want ErrFailed", err)
	}
	if told != 1 {
		t.Errorf("told %d times, want once", told)
	}
	check(t, errors.Join(s.Close(), ahead.Close()))
}

// TestRestoreOnEachMember lets a new member take the snapshot of each real member, and go on with its log.
func TestRestoreOnEachMember(t *testing.T) {
	for _, name := range []string{"c34-1n-clean", "c36-quota-1n-clean", "chain-1n-after37"} {
		t.Run(name, func(t *testing.T) {
			m := openMember(t, name, corpus.Dir(t, name))
			dir := t.TempDir()
			s, half := m.open(t, dir), m.open(t, t.TempDir())
			apply(t, half, m.entries[:m.last/2])
			send(t, half, s)
			apply(t, s, m.entries[:m.last])
			closed(t, s)
			check(t, half.Close())
			needed{}.compare(t, m.db, readState(t, dir), &m.subject)
		})
	}
}
