package faultfs

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/raftctl/raftctl/internal/vfs"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func create(t *testing.T, f *FS, name string) vfs.File {
	t.Helper()
	h, err := f.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	must(t, err)
	return h
}

func put(t *testing.T, f *FS, name, data string) vfs.File {
	t.Helper()
	h := create(t, f, name)
	_, err := h.Write([]byte(data))
	must(t, err)
	return h
}

// read returns a file's bytes, or "-" if there is no such file.
func read(t *testing.T, f *FS, name string) string {
	t.Helper()
	b, err := fs.ReadFile(vfs.DirFS(f, ""), name)
	if errors.Is(err, fs.ErrNotExist) {
		return "-"
	}
	must(t, err)
	return string(b)
}

func TestFS(t *testing.T) {
	f := New()
	must(t, f.MkdirAll("a/b", 0o700))
	for _, name := range []string{"x", "a/y", "a/b/z"} {
		put(t, f, name, name)
	}
	if err := fstest.TestFS(vfs.DirFS(f, ""), "x", "a/y", "a/b/z"); err != nil {
		t.Error(err)
	}
}

func TestCrashKeepsWhatWasSynced(t *testing.T) {
	f := New()
	must(t, f.MkdirAll("d", 0o700))
	must(t, f.SyncDir(""))
	synced := put(t, f, "d/synced", "12")
	must(t, synced.Sync())
	must(t, f.SyncDir("d"))
	_, err := synced.Write([]byte("34"))
	must(t, err)
	must(t, put(t, f, "d/nameless", "1").Sync())
	must(t, f.Rename("d/synced", "d/renamed"))

	none, all := f.Crash(Crash{}), f.Crash(Crash{Keep: 1})
	for _, c := range []struct{ name, none, all string }{
		{"d/synced", "12", "-"}, {"d/nameless", "-", "1"}, {"d/renamed", "-", "1234"},
	} {
		if got := read(t, none, c.name); got != c.none {
			t.Errorf("%s when nothing else survives: %q, want %q", c.name, got, c.none)
		}
		if got := read(t, all, c.name); got != c.all {
			t.Errorf("%s when everything survives: %q, want %q", c.name, got, c.all)
		}
	}
	if got := read(t, f, "d/renamed"); got != "1234" {
		t.Errorf("the crash changed the running file system: %q", got)
	}
}

func TestCrashKeepsWholeSectors(t *testing.T) {
	f := New()
	h := create(t, f, "x")
	must(t, h.Allocate(4096))
	must(t, h.Sync())
	must(t, f.SyncDir(""))
	_, err := h.WriteAt(bytes.Repeat([]byte{1}, 2000), 100)
	must(t, err)
	partial := false
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 0))
		got := read(t, f.Crash(Crash{Unit: 512, Keep: 0.5, Rand: rng}), "x")
		kept := 0
		for lo := 0; lo < 4096; lo += 512 {
			from, to := min(max(lo, 100), 2100), max(min(lo+512, 2100), 100)
			n := bytes.Count([]byte(got[lo:lo+512]), []byte{1})
			if n != 0 && n != to-from {
				t.Fatalf("seed %d: sector at %d: %d bytes survived, want 0 or %d", seed, lo, n, to-from)
			}
			kept += n
		}
		partial = partial || kept > 0 && kept < 2000
	}
	if !partial {
		t.Error("no crash kept a part of the write")
	}
}

func TestFailedSyncLosesForGood(t *testing.T) {
	f := New()
	h := put(t, f, "x", "1234")
	must(t, f.SyncDir(""))
	f.FailAt(f.Ops())
	if err := h.Sync(); !errors.Is(err, syscall.EIO) {
		t.Fatalf("sync: got %v, want EIO", err)
	}
	must(t, h.Sync())
	if got := read(t, f.Crash(Crash{}), "x"); got != "" {
		t.Errorf("after a failed sync and a second one: %q on disk, want nothing", got)
	}
}

func TestFailedWriteLeavesHalf(t *testing.T) {
	f := New()
	h := put(t, f, "x", "1234")
	f.FailAt(f.Ops())
	const want = 512 - 4
	if n, err := h.Write(make([]byte, 1500)); n != want || !errors.Is(err, ErrInjected) {
		t.Errorf("write: %d, %v, want %d and ErrInjected", n, err, want)
	}
}

func TestDiskFull(t *testing.T) {
	f := New()
	f.SetSpace(6)
	h := put(t, f, "x", "1234")
	if n, err := h.Write([]byte("5678")); n != 2 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("write: %d, %v, want 2 and ENOSPC", n, err)
	}
	if err := create(t, f, "y").Allocate(1); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("allocate: %v, want ENOSPC", err)
	}
	must(t, f.Remove("x"))
	must(t, create(t, f, "y").Allocate(6))
}

func TestLock(t *testing.T) {
	f := New()
	first, second := create(t, f, "x"), create(t, f, "x")
	must(t, first.Lock())
	if err := second.Lock(); !errors.Is(err, vfs.ErrLocked) {
		t.Errorf("second lock: %v, want ErrLocked", err)
	}
	must(t, first.Close())
	must(t, second.Lock())
	if got := f.Locked(); len(got) != 1 || got[0] != "x" {
		t.Errorf("locked: %v, want [x]", got)
	}
}

// Two files get each other's name in one step, which a crash leaves done or not.
func TestExchange(t *testing.T) {
	f := New()
	must(t, f.MkdirAll("d", 0o700))
	must(t, put(t, f, "d/a", "1").Sync())
	must(t, put(t, f, "b", "2").Sync())
	must(t, f.SyncDir("d"))
	must(t, f.SyncDir(""))
	if err := vfs.Exchange(f, "d/a", "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("with a file that isn't there: %v", err)
	}
	must(t, vfs.Exchange(f, "d/a", "b"))
	check := func(when string, f *FS, want string) {
		t.Helper()
		if got := read(t, f, "d/a") + read(t, f, "b"); got != want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	check("exchanged", f, "21")
	check("lost", f.Crash(Crash{}), "12")
	must(t, f.SyncDir("d")) // makes both names durable
	check("synced", f.Crash(Crash{}), "21")
}

// Syncing folders one by one leaves what is there, whatever the order.
func TestSyncKeepsTheOrderOfNames(t *testing.T) {
	for _, dirs := range [][]string{{"", "d"}, {"d", ""}} {
		f := New()
		must(t, f.MkdirAll("d", 0o700))
		must(t, put(t, f, "d/new", "new").Sync())
		must(t, put(t, f, "x", "old").Sync())
		must(t, f.Rename("x", "kept"))
		must(t, f.Rename("d/new", "x"))
		for _, dir := range dirs {
			must(t, f.SyncDir(dir))
		}
		c := f.Crash(Crash{})
		if got := read(t, c, "x") + " " + read(t, c, "kept"); got != "new old" {
			t.Errorf("%q: %q", dirs, got)
		}
	}
}

func TestAdopt(t *testing.T) {
	f := New()
	create(t, f, "x")
	must(t, vfs.Adopt(f, "x", nil, 0o640))
	info, err := f.Stat("x")
	if err != nil || info.Mode() != 0o640 {
		t.Errorf("%v, %v", info, err)
	}
	if err := vfs.Adopt(f, "y", nil, 0o640); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of no file: %v", err)
	}
}
