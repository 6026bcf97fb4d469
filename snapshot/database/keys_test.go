package database_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/dbtest"
	"github.com/raftctl/raftctl/snapshot/database"
)

// etcdKeys are what etcd's store tells of a revision.
func etcdKeys(tb testing.TB, s *dbtest.Store, rev int64) (list []database.KeyValue) {
	tb.Helper()
	for _, kv := range s.Range(rev).KVs {
		list = append(list, database.KeyValue{Key: kv.Key, Value: kv.Value, CreateRevision: kv.CreateRevision,
			ModRevision: kv.ModRevision, Version: kv.Version, Lease: kv.Lease})
	}
	return list
}

// random makes a database of random changes; last is its newest revision, and compacted what was
// compacted.
func random(tb testing.TB, seed uint64, s *dbtest.Store) (last, compacted int64) {
	tb.Helper()
	rng := rand.New(rand.NewPCG(seed, 7))
	key := func() string { return fmt.Sprintf("%c/%d", 'a'+rng.IntN(3), rng.IntN(15)) }
	for i := range 200 {
		switch rng.IntN(8) {
		case 0:
			s.Delete(key(), "")
		case 1:
			s.Txn(func(put func(k, v string), del func(k string)) {
				put(fmt.Sprint("t", i), "1")
				del(fmt.Sprint("t", i-20))
			})
		default:
			s.Put(key(), string(bytes.Repeat([]byte{'v'}, rng.IntN(9000))), 0)
		}
	}
	last = s.Put("last", "one", 0)
	if seed%3 != 0 {
		compacted = last/2 + int64(seed)
		s.Compact(compacted)
	}
	return last, compacted
}

// State and hash at every revision are those that etcd's store tells.
func TestEveryRevisionAsEtcd(t *testing.T) {
	for seed := range uint64(6) {
		path := filepath.Join(t.TempDir(), "db")
		s := dbtest.New(t, path)
		last, compacted := random(t, seed, s)
		want, hashes := map[int64][]database.KeyValue{}, map[int64]uint32{}
		for rev := max(compacted, 1); rev <= last; rev++ {
			want[rev] = etcdKeys(t, s, rev)
			if rev > compacted {
				hashes[rev] = s.Hash(rev).Hash
			}
		}
		s.Close()
		db := open(t, path)
		for rev, list := range want {
			if diff := cmp.Diff(list, keys(t, db, database.Query{Revision: rev}), equateEmpty); diff != "" {
				t.Fatalf("seed %d: revision %d (-etcd +ours):\n%s", seed, rev, diff)
			}
		}
		for rev, hash := range hashes {
			got, err := db.HashKV(t.Context(), rev, nil)
			if err != nil || got.Hash != hash {
				t.Errorf("seed %d: revision %d: %+v, %v, want %d", seed, rev, got, err, hash)
			}
		}
		if s := status(t, path); s.Hashes.KV.Hash != hashes[last] || s.Live != int64(len(want[last])) {
			t.Errorf("seed %d: %d keys, hash %d, want %d, %d", seed, s.Live, s.Hashes.KV.Hash, len(want[last]), hashes[last])
		}
		checkRange(t, db, compacted, last)
	}
}

// checkRange checks that revisions outside of what there is are refused.
func checkRange(t *testing.T, db *database.DB, compacted, last int64) {
	t.Helper()
	for rev, want := range map[int64]error{compacted - 1: database.ErrCompacted, last + 1: database.ErrFuture} {
		if rev <= 0 {
			continue
		}
		n := 0
		for _, err := range db.Keys(t.Context(), database.Query{Revision: rev}) {
			if n++; !errors.Is(err, want) {
				t.Errorf("revision %d: %v, want %v", rev, err, want)
			}
		}
		if n != 1 {
			t.Errorf("revision %d: %d results, want an error", rev, n)
		}
		if _, err := db.HashKV(t.Context(), rev, nil); !errors.Is(err, want) {
			t.Errorf("hash at revision %d: %v, want %v", rev, err, want)
		}
	}
}

func TestQuery(t *testing.T) {
	path := sample(t)
	db := open(t, path)
	names := func(q database.Query) (list []string) {
		for _, kv := range keys(t, db, q) {
			list = append(list, string(kv.Key)+"@"+fmt.Sprint(kv.ModRevision))
		}
		return list
	}
	for _, tc := range []struct {
		q    database.Query
		want []string
	}{
		{database.Query{}, []string{"a@11", "b@9", "e@8"}},
		{database.Query{Revision: 8}, []string{"a@6", "d@8", "e@8"}},
		{database.Query{Revision: 6}, []string{"a@6", "b@3", "c@5"}},
		{database.Query{Key: []byte("a")}, []string{"a@11"}},
		{database.Query{Prefix: []byte("e")}, []string{"e@8"}},
		{database.Query{Prefix: []byte("zz")}, nil},
	} {
		if got := names(tc.q); !slices.Equal(got, tc.want) {
			t.Errorf("%+v: got %v, want %v", tc.q, got, tc.want)
		}
	}
	var history []string
	for c, err := range db.History(t.Context(), database.Query{Key: []byte("b")}) {
		if err != nil {
			t.Fatal(err)
		}
		history = append(history, fmt.Sprint(c.Revision, c.Tombstone))
	}
	if want := []string{"3/0 false", "7/0 true", "9/0 false"}; !slices.Equal(history, want) {
		t.Errorf("history of b: %v, want %v", history, want)
	}
}

// What there is since a revision is the end of the history, from any revision on.
func TestSince(t *testing.T) {
	db := open(t, sample(t))
	for rev := range int64(15) {
		want := map[string]string{}
		for c, err := range db.History(t.Context(), database.Query{}) {
			if err != nil {
				t.Fatal(err)
			}
			if c.Revision.Main >= rev {
				want[c.Revision.String()] = fmt.Sprintf("%v %+v", c.Tombstone, c.KeyValue)
			}
		}
		got, _, errs := changesOf(db.Since(t.Context(), rev))
		if diff := cmp.Diff(want, got); diff != "" || len(errs) > 0 {
			t.Errorf("since %d: %v (-want +got):\n%s", rev, errs, diff)
		}
	}
}

func TestDiff(t *testing.T) {
	db := open(t, sample(t))
	at := func(rev int64) database.Query { return database.Query{Revision: rev} }
	var got []string
	for d, err := range database.Diff(db.Keys(t.Context(), at(6)), db.Keys(t.Context(), at(12))) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %v %v %v", d.Key(), d.Before != nil, d.After != nil, d.Same()))
	}
	want := []string{"a true true false", "b true true false", "c true false false", "e false true false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for d, err := range database.Diff(db.Keys(t.Context(), at(7)), db.Keys(t.Context(), at(7))) {
		t.Errorf("the same revision differs: %v, %v", d, err)
	}
}

// Two random databases differ in what a dumb comparison finds.
func TestDiffAsMaps(t *testing.T) {
	for seed := range uint64(5) {
		var dbs [2]*database.DB
		for i := range dbs {
			path := filepath.Join(t.TempDir(), "db")
			s := dbtest.New(t, path)
			random(t, seed+uint64(i), s)
			s.Close()
			dbs[i] = open(t, path)
		}
		a, b := asMap(t, dbs[0]), asMap(t, dbs[1])
		for d, err := range database.Diff(dbs[0].Keys(t.Context(), database.Query{}), dbs[1].Keys(t.Context(), database.Query{})) {
			if err != nil {
				t.Fatal(err)
			}
			key := string(d.Key())
			if a[key] == b[key] {
				t.Errorf("%s doesn't differ", key)
			}
			delete(a, key)
			delete(b, key)
		}
		for key := range a {
			if a[key] != b[key] {
				t.Errorf("%s differs, and wasn't told", key)
			}
			delete(b, key)
		}
		if len(b) > 0 {
			t.Errorf("%d keys were not told", len(b))
		}
	}
}

func asMap(tb testing.TB, db *database.DB) map[string]string {
	m := map[string]string{}
	for _, kv := range keys(tb, db, database.Query{}) {
		m[string(kv.Key)] = fmt.Sprint(kv)
	}
	return m
}

// Reading leaves the file as it is: bytes, times and inode.
func TestNothingIsWritten(t *testing.T) {
	path := sample(t)
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	bytesBefore, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	verify(t, path)
	status(t, path)
	keys(t, open(t, path), database.Query{})
	after, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	bytesAfter, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) || !bytes.Equal(bytesBefore, bytesAfter) {
		t.Error("the file has changed")
	}
}
