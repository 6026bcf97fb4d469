package vfs_test

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/internal/vfs"
)

func open(t *testing.T, name string, flag int) vfs.File {
	t.Helper()
	f, err := vfs.OS.OpenFile(name, flag, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func isHeld(t *testing.T, name string) vfs.Hold {
	t.Helper()
	f := open(t, name, os.O_RDONLY)
	defer func() { _ = f.Close() }()
	hold, err := vfs.Held(f)
	if err != nil {
		t.Fatal(err)
	}
	return hold
}

// Both kinds of locks are seen, shared ones too, and what only asks is in nobody's way.
func TestHeld(t *testing.T) {
	for kind, lock := range map[string]func(f vfs.File) error{
		"of the open file": vfs.File.Lock,
		"flock":            func(f vfs.File) error { return flock(f, unix.LOCK_EX) },
		"flock, shared":    func(f vfs.File) error { return flock(f, unix.LOCK_SH) },
	} {
		name := filepath.Join(t.TempDir(), "f")
		f := open(t, name, os.O_CREATE|os.O_RDWR)
		if isHeld(t, name).Held {
			t.Errorf("%s: held before it was locked", kind)
		}
		asked := open(t, name, os.O_RDONLY)
		if _, err := vfs.Held(asked); err != nil {
			t.Error(err)
		}
		if err := lock(f); err != nil {
			t.Errorf("%s: asking keeps others out: %v", kind, err)
		}
		hold := isHeld(t, name)
		if !hold.Held || hold.PID != 0 && hold.PID != os.Getpid() {
			t.Errorf("%s: %+v, want held by %d", kind, hold, os.Getpid())
		}
		if other := filepath.Join(t.TempDir(), "f"); isHeld(t, open(t, other, os.O_CREATE|os.O_RDWR).Name()).Held {
			t.Errorf("%s: another file is held", kind)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if isHeld(t, name).Held {
			t.Errorf("%s: held after the file was closed", kind)
		}
	}
}

func flock(f vfs.File, how int) error {
	return unix.Flock(int(f.(interface{ Fd() uintptr }).Fd()), how|unix.LOCK_NB)
}

// A real etcd is seen to hold its log and its database, from its start to its end; asking all the time
// doesn't keep it from starting.
func TestHeldByEtcd(t *testing.T) {
	for _, version := range etcdtest.Versions {
		t.Run(version, func(t *testing.T) {
			dir := t.TempDir()
			log := filepath.Join(dir, "member", "wal", "0000000000000000-0000000000000000.wal")
			database := filepath.Join(dir, "member", "snap", "db")
			s := etcdtest.Start(t, version, dir)
			checkHeld(t, true, log, database)
			s.Stop()
			checkHeld(t, false, log, database)

			var stop atomic.Bool
			asked := make(chan int)
			go func() { asked <- askUntil(&stop, log, database) }()
			s = etcdtest.Start(t, version, dir)
			stop.Store(true)
			if n := <-asked; n < 100 {
				t.Errorf("asked %d times while etcd started, want often", n)
			}
			checkHeld(t, true, log, database)
			s.Kill()
			checkHeld(t, false, log, database)
		})
	}
}

func checkHeld(t *testing.T, want bool, names ...string) {
	t.Helper()
	for _, name := range names {
		if got := isHeld(t, name); got.Held != want {
			t.Errorf("%s: held %v, want %v", filepath.Base(name), got.Held, want)
		}
	}
}

// askUntil asks for the locks again and again, and returns how often.
func askUntil(stop *atomic.Bool, names ...string) (n int) {
	for ; !stop.Load(); time.Sleep(time.Millisecond) {
		for _, name := range names {
			f, err := vfs.OS.Open(name)
			if err != nil {
				return -1
			}
			if _, err := vfs.Held(f); err != nil {
				return -1
			}
			if f.Close() != nil {
				return -1
			}
			n++
		}
	}
	return n
}
