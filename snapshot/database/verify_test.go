package database_test

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/dbtest"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/snapshot/database"
)

func verify(tb testing.TB, path string) *database.Report {
	tb.Helper()
	r, err := open(tb, path).Verify(tb.Context(), database.VerifyOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// No finding of consequence in what real etcds wrote.
func TestVerifyReal(t *testing.T) {
	for _, log := range corpus.Logs(t) {
		r := verify(t, filepath.Join(log.Dir, "member", "snap", "db"))
		if r.Verdict != verdict.OK {
			t.Errorf("%s: %v", log.Name, r.Verdict)
		}
		for _, f := range r.Findings {
			switch f.Class {
			case database.ClassNoTrailer, database.ClassLonger:
			case database.ClassMembers, database.ClassRestoreMark: // as a restore leaves it
				if len(log.Name) < 12 || log.Name[:12] != "c36-restored" {
					t.Errorf("%s: %v", log.Name, f.String())
				}
			case database.ClassAlarm:
				if log.Name != "c36-quota-1n-clean" {
					t.Errorf("%s: %v", log.Name, f.String())
				}
			default:
				t.Errorf("%s: %v", log.Name, f.String())
			}
		}
	}
}

// sample makes a database with all that a history has: revisions 2..12, compacted up to 5.
func sample(tb testing.TB) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "db")
	s := dbtest.New(tb, path)
	s.Grant(0x1234, 1000)
	s.Put("a", "1", 0)                                      // 2
	s.Put("b", "1", 0x1234)                                 // 3
	s.Put("a", "2", 0)                                      // 4
	s.Put("c", "1", 0)                                      // 5
	s.Put("a", "3", 0)                                      // 6
	s.Delete("b", "")                                       // 7
	s.Txn(func(put func(k, v string), del func(k string)) { // 8
		put("d", "1")
		put("e", "1")
		del("c")
	})
	s.Put("b", "2", 0x1234) // 9
	s.Put("a", "4", 0)      // 10
	s.Put("a", "5", 0)      // 11
	s.Delete("d", "")       // 12
	s.Compact(5)
	s.Close()
	return path
}

// revKey is the key of a change in bucket key.
func revKey(main, sub int64) []byte {
	return database.AppendRevision(nil, database.Revision{Main: main, Sub: sub})
}

// kvBytes encodes a put as etcd does.
func kvBytes(kv database.KeyValue) (b []byte) {
	b = protowire.AppendBytes(protowire.AppendTag(b, 1, protowire.BytesType), kv.Key)
	for i, n := range []int64{kv.CreateRevision, kv.ModRevision, kv.Version} {
		b = protowire.AppendVarint(protowire.AppendTag(b, protowire.Number(2+i), protowire.VarintType), uint64(n))
	}
	b = protowire.AppendBytes(protowire.AppendTag(b, 5, protowire.BytesType), kv.Value)
	if kv.Lease != 0 {
		b = protowire.AppendVarint(protowire.AppendTag(b, 6, protowire.VarintType), uint64(kv.Lease))
	}
	return b
}

func put(main int64, kv database.KeyValue) func(*bbolt.Tx) error {
	return item("key", revKey(main, 0), kvBytes(kv))
}

func item(bucket string, key, value []byte) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error { return tx.Bucket([]byte(bucket)).Put(key, value) }
}

func remove(bucket string, key []byte) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		if tx.Bucket([]byte(bucket)).Get(key) == nil {
			return fmt.Errorf("no %x in %s", key, bucket)
		}
		return tx.Bucket([]byte(bucket)).Delete(key)
	}
}

func u64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// What was planted is found, and nothing else.
func TestVerifyFindsWhatWasPlanted(t *testing.T) {
	kv := func(key string, create, mod, version int64) database.KeyValue {
		return database.KeyValue{Key: []byte(key), Value: []byte("x"), CreateRevision: create, ModRevision: mod, Version: version}
	}
	tomb := func(main, sub int64) []byte { return append(revKey(main, sub), 't') }
	for name, tc := range map[string]struct {
		edit func(*bbolt.Tx) error
		want []database.Class
	}{
		"nothing":                  {func(*bbolt.Tx) error { return nil }, nil},
		"key of 16 bytes":          {item("key", make([]byte, 16), nil), []database.Class{database.ClassRecord}},
		"no underscore":            {item("key", append(append(u64(13), '-'), u64(0)...), nil), []database.Class{database.ClassRecord}},
		"another mark":             {item("key", append(revKey(13, 0), 'x'), nil), []database.Class{database.ClassRecord}},
		"value is no message":      {item("key", revKey(13, 0), []byte{0xff}), []database.Class{database.ClassRecord}},
		"no key":                   {put(13, kv("", 13, 13, 1)), []database.Class{database.ClassRecord}},
		"mod revision":             {put(13, kv("f", 14, 14, 1)), []database.Class{database.ClassModRevision}},
		"created after":            {put(13, kv("f", 14, 13, 1)), []database.Class{database.ClassVersion}},
		"version 0":                {put(13, kv("f", 13, 13, 0)), []database.Class{database.ClassVersion}},
		"first of several":         {put(13, kv("f", 12, 13, 2)), []database.Class{database.ClassMissing}},
		"version too high":         {put(13, kv("a", 2, 13, 100)), []database.Class{database.ClassVersion, database.ClassVersion}},
		"version skipped":          {put(13, kv("a", 2, 13, 7)), []database.Class{database.ClassVersion}},
		"created again":            {put(13, kv("a", 13, 13, 1)), []database.Class{database.ClassVersion}},
		"created at another":       {put(13, kv("a", 3, 13, 6)), []database.Class{database.ClassVersion}},
		"goes on after a deletion": {put(13, kv("d", 8, 13, 2)), []database.Class{database.ClassMissing}},
		"revision left out":        {put(14, kv("f", 14, 14, 1)), []database.Class{database.ClassRevisionGap}},
		"change lost":              {remove("key", revKey(10, 0)), []database.Class{database.ClassRevisionGap, database.ClassVersion}},
		"first change lost":        {remove("key", revKey(6, 0)), []database.Class{database.ClassRevisionGap, database.ClassVersion}},
		"change in a txn lost":     {remove("key", revKey(8, 1)), []database.Class{database.ClassRevisionGap}},
		"kept change lost":         {remove("key", revKey(4, 0)), []database.Class{database.ClassMissing}},
		"deleted twice":            {item("key", tomb(13, 0), kvBytesKey("d")), []database.Class{database.ClassTombstone}},
		"deleted, never there":     {item("key", tomb(13, 0), kvBytesKey("z")), []database.Class{database.ClassTombstone}},
		"deletion with a value":    {item("key", tomb(13, 0), kvBytes(kv("a", 2, 13, 6))), []database.Class{database.ClassRecord}},
		"left by compaction":       {put(2, kv("a", 2, 2, 1)), []database.Class{database.ClassNotCompacted}},
		"marks contradict":         {item("meta", []byte("scheduledCompactRev"), revKey(3, 0)), []database.Class{database.ClassCompactionMark}},
		"mark is no revision":      {item("meta", []byte("finishedCompactRev"), u64(3)), []database.Class{database.ClassItem}},
		"compaction under way":     {item("meta", []byte("scheduledCompactRev"), revKey(9, 0)), []database.Class{database.ClassUnfinished}},
		"first one under way": {func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("meta")).Delete([]byte("finishedCompactRev"))
		}, []database.Class{database.ClassUnfinished}},
		"compacted above all":   {compacted(20), []database.Class{database.ClassAllCompacted, database.ClassNotCompacted}},
		"no index":              {remove("meta", []byte("consistent_index")), []database.Class{database.ClassNoIndex}},
		"index of 4 bytes":      {item("meta", []byte("consistent_index"), make([]byte, 4)), []database.Class{database.ClassItem, database.ClassNoIndex}},
		"lease lost":            {remove("lease", u64(0x1234)), []database.Class{database.ClassLeaseMissing}},
		"lease of another ID":   {item("lease", u64(7), []byte{8, 9, 16, 60}), []database.Class{database.ClassItem}},
		"lease 0":               {item("lease", u64(0), []byte{16, 60}), []database.Class{database.ClassItem}},
		"member of another ID":  {item("members", []byte("7"), []byte(`{"id":8}`)), []database.Class{database.ClassItem}},
		"member with zeros":     {item("members", []byte("07"), []byte(`{"id":7}`)), []database.Class{database.ClassItem}},
		"member is no JSON":     {item("members", []byte("7"), []byte(`{`)), []database.Class{database.ClassItem}},
		"removed and there":     {item("members_removed", []byte("8e9e05c52164694d"), []byte("removed")), []database.Class{database.ClassMemberRemoved}},
		"raft has another":      {item("meta", []byte("confState"), []byte(`{"voters":[1,2],"auto_leave":false}`)), []database.Class{database.ClassMembers}},
		"raft has the same":     {item("meta", []byte("confState"), []byte(`{"voters":[10276657743932975437],"auto_leave":false}`)), nil},
		"conf state is no JSON": {item("meta", []byte("confState"), []byte(`{"voters":["1"]}`)), []database.Class{database.ClassItem}},
		"role missing":          {item("authUsers", []byte("ann"), []byte("\x0a\x03ann\x1a\x03adm")), []database.Class{database.ClassRoleMissing}},
		"user of another name":  {item("authUsers", []byte("ann"), []byte("\x0a\x03bob")), []database.Class{database.ClassItem}},
		"nobody manages auth":   {item("auth", []byte("authEnabled"), []byte{1}), []database.Class{database.ClassNoRoot}},
		"auth 2":                {item("auth", []byte("authEnabled"), []byte{2}), []database.Class{database.ClassItem}},
		"alarm":                 {item("alarm", []byte{8, 7, 16, 1}, nil), []database.Class{database.ClassAlarm}},
		"alarm is no message":   {item("alarm", []byte{8}, nil), []database.Class{database.ClassItem}},
		"future":                {item("meta", []byte("storageVersion"), []byte("4.0.0")), []database.Class{database.ClassFuture}},
		"no version":            {item("meta", []byte("storageVersion"), []byte("three")), []database.Class{database.ClassItem}},
		"future cluster":        {item("cluster", []byte("clusterVersion"), []byte("4.1.0")), []database.Class{database.ClassFuture}},
		"bucket missing":        {func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("alarm")) }, []database.Class{database.ClassBucketMissing}},
		"another bucket":        {newBucket("mine"), []database.Class{database.ClassBucketUnknown}},
		"not etcd's":            {onlyBucket("mine"), []database.Class{database.ClassNotEtcd}},
		"no buckets":            {onlyBucket(""), []database.Class{database.ClassNoBuckets}},
	} {
		t.Run(name, func(t *testing.T) {
			path := sample(t)
			dbtest.Edit(t, path, tc.edit)
			r := verify(t, path)
			var got []database.Class
			for _, f := range r.Findings {
				if f.Class != database.ClassNoTrailer && f.Class != database.ClassLonger {
					got = append(got, f.Class)
				}
			}
			slices.Sort(got)
			got = slices.Compact(got)
			slices.Sort(tc.want)
			if want := slices.Compact(tc.want); !slices.Equal(got, want) {
				t.Errorf("got %v, want %v\n%v", got, want, r.Findings)
			}
		})
	}
}

func kvBytesKey(key string) []byte {
	return protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), key)
}

func compacted(rev int64) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		for _, name := range []string{"scheduledCompactRev", "finishedCompactRev"} {
			if err := tx.Bucket([]byte("meta")).Put([]byte(name), revKey(rev, 0)); err != nil {
				return err
			}
		}
		return nil
	}
}

func newBucket(name string) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte(name))
		return err
	}
}

// onlyBucket deletes all buckets, and makes one if it has a name.
func onlyBucket(name string) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		var names [][]byte
		err := tx.ForEach(func(n []byte, _ *bbolt.Bucket) error {
			names = append(names, slices.Clone(n))
			return nil
		})
		for _, n := range names {
			if err == nil {
				err = tx.DeleteBucket(n)
			}
		}
		if err == nil && name != "" {
			_, err = tx.CreateBucket([]byte(name))
		}
		return err
	}
}
