package database_test

import (
	"bytes"
	"crypto/sha256"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/snapshot/database"
)

// saved saves a database of a real etcd, as etcdctl does.
func saved(tb testing.TB, release string) string {
	tb.Helper()
	s := etcdtest.Start(tb, release, filepath.Join(tb.TempDir(), "data"), etcdtest.Quick...)
	defer s.Stop()
	for _, key := range []string{"a", "b", "a"} {
		s.Ctl("put", key, "value")
	}
	path := filepath.Join(tb.TempDir(), "saved.db")
	s.Ctl("snapshot", "save", path)
	return path
}

// A saved database is as its trailer says, until a tool opens it for writing, which is told from
// damage.
func TestTrailer(t *testing.T) {
	path := saved(t, "3.6")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	openForWriting := func(t *testing.T, path string) {
		db, err := bbolt.Open(path, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for name, tc := range map[string]struct {
		change func(t *testing.T, path string)
		want   database.TrailerState
		is     verdict.Verdict
	}{
		"as saved":           {func(*testing.T, string) {}, database.TrailerOK, verdict.OK},
		"hashkv of etcdutl":  {hashkvOf("3.6"), database.TrailerStale, verdict.OK},
		"hashkv of 3.7":      {hashkvOf("3.7"), database.TrailerStale, verdict.OK},
		"opened for writing": {openForWriting, database.TrailerStale, verdict.Unchecked},
		"and a value changed": {func(t *testing.T, path string) {
			hashkvOf("3.6")(t, path)
			flip(bytes.LastIndex(good, []byte("value")))(t, path)
		}, database.TrailerStale, verdict.Unchecked},
		"byte of a value": {flip(bytes.LastIndex(good, []byte("value"))), database.TrailerWrong, verdict.Problem},
		"byte of the sum": {flip(len(good) - 3), database.TrailerWrong, verdict.Problem},
		"no trailer": {func(t *testing.T, path string) {
			if err := os.Truncate(path, int64(len(good)-sha256.Size)); err != nil {
				t.Fatal(err)
			}
		}, database.TrailerMissing, verdict.OK},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "copy.db")
			if err := os.WriteFile(path, good, 0o600); err != nil {
				t.Fatal(err)
			}
			tc.change(t, path)
			r := verify(t, path)
			if r.Trailer != tc.want || r.Verdict != tc.is {
				t.Errorf("trailer %v, verdict %v, want %v and %v: %v", r.Trailer, r.Verdict, tc.want, tc.is, r.Findings)
			}
		})
	}
}

func hashkvOf(release string) func(t *testing.T, path string) {
	return func(t *testing.T, path string) {
		out, err := exec.Command(etcdtest.Binary(t, release, "etcdutl"), "hashkv", path).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
}

// flip flips a bit of the byte at an offset.
func flip(off int) func(t *testing.T, path string) {
	return func(t *testing.T, path string) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b[off] ^= 4
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
