package vfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"
)

func create(t *testing.T, name string) File {
	t.Helper()
	f, err := OS.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestLockKeepsOutSecondHandle(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	first, second := create(t, name), create(t, name)
	if err := first.Lock(); err != nil {
		t.Fatal(err)
	}
	if err := second.Lock(); !errors.Is(err, ErrLocked) {
		t.Fatalf("second lock: got %v, want ErrLocked", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := second.Lock(); err != nil {
		t.Errorf("lock after the first was closed: %v", err)
	}
}

func TestAllocateGrowsButNeverShrinks(t *testing.T) {
	f := create(t, filepath.Join(t.TempDir(), "f"))
	for _, c := range []struct{ size, want int64 }{{4096, 4096}, {100, 4096}, {8192, 8192}} {
		if err := f.Allocate(c.size); err != nil {
			t.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() != c.want {
			t.Errorf("Allocate(%d): size %d, want %d", c.size, info.Size(), c.want)
		}
	}
	b := make([]byte, 8192)
	if _, err := f.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	if slices.Max(b) != 0 {
		t.Error("allocated space holds bytes other than zero")
	}
}

func TestErrorsNameTheFile(t *testing.T) {
	f := create(t, filepath.Join(t.TempDir(), "f"))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for op, err := range map[string]error{
		"sync": f.Sync(), "lock": f.Lock(), "allocate": f.Allocate(1),
	} {
		var named *fs.PathError
		if !errors.As(err, &named) || named.Path != f.Name() {
			t.Errorf("%s of a closed file: %v, want an error that names it", op, err)
		}
	}
	if err := OS.SyncDir(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("SyncDir of no folder: %v, want ErrNotExist", err)
	}
}

func TestDirFS(t *testing.T) {
	dir := t.TempDir()
	if err := OS.MkdirAll(filepath.Join(dir, "a", "b"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"x", "a/y", "a/b/z"} {
		if _, err := create(t, filepath.Join(dir, name)).Write([]byte(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := fstest.TestFS(DirFS(OS, dir), "x", "a/y", "a/b/z"); err != nil {
		t.Error(err)
	}
}
