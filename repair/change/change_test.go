package change_test

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/change"
)

var now = time.Date(2026, 11, 29, 1, 2, 3, 0, time.UTC)

// contents are the bytes of all files below a folder, by path; a folder ends with a slash.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || e.IsDir() {
			all[name+"/"] = ""
			return err
		}
		b, err := os.ReadFile(path)
		all[name] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func locate(t *testing.T, dir, walDir string) change.Place {
	t.Helper()
	p, err := change.Locate(vfs.OS, dir, walDir)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSmoke(t *testing.T) {
	dir := corpus.Copy(t, "c36-leasecp-1n-clean")
	before := contents(t, dir)
	p := locate(t, dir, "")
	s, err := change.Begin(change.Options{FS: vfs.OS, Source: p, InPlace: true, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(s.Log(), os.DirFS(p.Log)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.Snap(), "0000000000000009-0000000000000009.snap"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, _ := os.OpenFile(filepath.Join(s.Log(), "0000000000000000-0000000000000000.wal"), os.O_RDWR, 0)
	_, _ = f.WriteAt([]byte("hello"), 3000)
	_ = f.Close()
	c, err := s.Place(t.Context(), change.Record{Command: "raftctl wal repair", What: []string{"x"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", c)
	for name := range maps.Keys(contents(t, dir)) {
		t.Log(name)
	}
	u, err := change.PlanUndo(t.Context(), change.UndoOptions{FS: vfs.OS, Place: p, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := contents(t, dir)
	t.Log(after["raftctl-changes.jsonl"])
	maps.DeleteFunc(after, func(name, _ string) bool { _, ok := before[name]; return !ok })
	if !maps.Equal(before, after) {
		t.Error(cmp.Diff(len(before), len(after)))
	}
}
