package rehearse_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/dbtest"
	"github.com/raftctl/raftctl/repair/rehearse"
	"github.com/raftctl/raftctl/snapshot/database"
)

// refused are the directories of the corpus on which a real etcd doesn't start, or ends soon.
var refused = map[string]string{
	"c35-3m-clean-m5":     "was removed from the cluster",
	"c36-3m-clean-m5":     "was removed from the cluster",
	"c37-3m-clean-m5":     "was removed from the cluster",
	"c36-restored-from34": "which the database doesn't have",
}

func run(t *testing.T, dir string) (*rehearse.Report, error) {
	t.Helper()
	scratch := filepath.Join(t.TempDir(), "scratch")
	r, err := rehearse.Run(t.Context(), rehearse.Options{
		SnapDir: filepath.Join(dir, "member", "snap"), WALDir: filepath.Join(dir, "member", "wal"), Scratch: scratch,
	})
	if _, statErr := os.Stat(scratch); !os.IsNotExist(statErr) {
		t.Errorf("the copy is left: %v", statErr)
	}
	return r, err
}

// contents returns all files below dir with their bytes.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		files[path] = string(bytes.TrimRight(b, "\x00"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestEveryRealMember(t *testing.T) {
	for _, l := range corpus.Logs(t) {
		t.Run(l.Name, func(t *testing.T) {
			r, err := run(t, l.Dir)
			if why := refused[l.Name]; why != "" {
				if err == nil || !strings.Contains(err.Error(), why) {
					t.Errorf("error %v, want %q", err, why)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.Contains(l.Name, "quota"); (r.Refused != "") != want {
				t.Errorf("writes are refused by %q", r.Refused)
			}
			if strings.HasPrefix(l.Name, "c") && !strings.Contains(l.Name, "kill9") && r.Replayed == 0 {
				compareHash(t, l.Dir, r)
			}
			cluster := regexp.MustCompile(`-m\d$`).ReplaceAllString(l.Name, "")
			if keys, ok := corpus.LookupGolden(t, cluster+".keys.json"); ok {
				compareKeys(t, keys, r)
			}
		})
	}
}

func TestFilesStayAsTheyAre(t *testing.T) {
	dir := filepath.Join(corpus.Copy(t, "c36-3m-kill9"), "m1") // behind its log, with a spare beside it
	before := contents(t, dir)
	if r, err := run(t, dir); err != nil || r.Replayed == 0 {
		t.Fatalf("report %+v, error %v", r, err)
	}
	if diff := cmp.Diff(before, contents(t, dir)); diff != "" {
		t.Error("the files have changed")
	}
}

// compareHash compares the hash, which etcd's store computed, with that of the database as it lies.
func compareHash(t *testing.T, dir string, r *rehearse.Report) {
	t.Helper()
	db, err := database.Open(t.Context(), os.DirFS(dir), "member/snap/db", database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	want, err := db.HashKV(t.Context(), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Hash != want.Hash || r.Revision != want.Revision {
		t.Errorf("hash %d at %d, want %d at %d", r.Hash, r.Revision, want.Hash, want.Revision)
	}
}

// compareKeys compares with what a client of the real etcd read.
func compareKeys(t *testing.T, golden []byte, r *rehearse.Report) {
	t.Helper()
	var want struct {
		Kvs []struct{ Key, Value []byte }
	}
	if err := json.Unmarshal(golden, &want); err != nil {
		t.Fatal(err)
	}
	size := 0
	for _, kv := range want.Kvs {
		size += len(kv.Key) + len(kv.Value)
	}
	if r.Keys != int64(len(want.Kvs)) || r.KeyBytes != int64(size) {
		t.Errorf("%d keys, %d bytes, want %d, %d", r.Keys, r.KeyBytes, len(want.Kvs), size)
	}
}

// TestWhatKeepsAMemberFromStarting damages the files of one.
func TestWhatKeepsAMemberFromStarting(t *testing.T) {
	edit := func(dir string, do func(tx *bbolt.Tx) error) {
		dbtest.Edit(t, filepath.Join(dir, "member", "snap", "db"), do)
	}
	index := func(n byte) func(dir string) {
		return func(dir string) {
			edit(dir, func(tx *bbolt.Tx) error {
				return tx.Bucket([]byte("meta")).Put([]byte("consistent_index"), []byte{0, 0, 0, 0, 0, 0, n, 0})
			})
		}
	}
	for name, tc := range map[string]struct {
		damage func(dir string)
		want   string
	}{
		"nothing":              {func(string) {}, ""},
		"database behind":      {index(1), "the database has applied entries up to 256, and the log starts from a snapshot"},
		"database ahead":       {index(99), "the database has applied entries up to 25344, and the log ends at 1946"},
		"another member":       {func(dir string) { edit(dir, dropMembers) }, "which the database doesn't have"},
		"no database":          {func(dir string) { remove(t, filepath.Join(dir, "member/snap/db")) }, "no such file"},
		"no log":               {func(dir string) { remove(t, filepath.Join(dir, "member/wal")) }, "no such file"},
		"not a database":       {func(dir string) { overwrite(t, filepath.Join(dir, "member/snap/db"), 0, 9000) }, "database"},
		"damaged log":          {func(dir string) { overwrite(t, segment(t, dir), 1_500_000, 8) }, "offset"},
		"damaged .snap":        {func(dir string) { overwrite(t, newestSnap(t, dir), 300, 1) }, "crc"},
		"a member in addition": {func(dir string) { edit(dir, addMember) }, "and the log makes them"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(corpus.Copy(t, "c36-3m-clean"), "m1")
			tc.damage(dir)
			_, err := run(t, dir)
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}

func dropMembers(tx *bbolt.Tx) error {
	b := tx.Bucket([]byte("members"))
	var ids [][]byte
	if err := b.ForEach(func(k, _ []byte) error { ids = append(ids, bytes.Clone(k)); return nil }); err != nil {
		return err
	}
	for _, id := range ids {
		if err := b.Delete(id); err != nil {
			return err
		}
	}
	return nil
}

func addMember(tx *bbolt.Tx) error {
	return tx.Bucket([]byte("members")).Put([]byte("77"), []byte(`{"id":119,"peerURLs":["http://x:1"]}`))
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func overwrite(t *testing.T, path string, off int64, n int) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, n)
	if _, err := f.ReadAt(b, off); err != nil {
		t.Fatal(err)
	}
	for i := range b {
		b[i] ^= 0x5a
	}
	if _, err := f.WriteAt(b, off); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func segment(t *testing.T, dir string) string { return last(t, filepath.Join(dir, "member/wal/*.wal")) }

func newestSnap(t *testing.T, dir string) string {
	return last(t, filepath.Join(dir, "member/snap/*.snap"))
}

func last(t *testing.T, pattern string) string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %v, %d files", pattern, err, len(names))
	}
	return names[len(names)-1]
}
