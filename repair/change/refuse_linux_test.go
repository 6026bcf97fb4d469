package change_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/change"
)

// What a running process holds is left alone: any segment, or the database.
func TestHeld(t *testing.T) {
	w := newWorld(t, vfs.OS, t.TempDir(), forms["data"])
	for name, lock := range map[string]func(f vfs.File) error{
		"data/member/wal/0000000000000000-0000000000000000.wal": vfs.File.Lock,
		"data/member/snap/db": func(f vfs.File) error {
			return unix.Flock(int(f.(interface{ Fd() uintptr }).Fd()), unix.LOCK_EX|unix.LOCK_NB)
		},
	} {
		f, err := vfs.OS.OpenFile(w.path(name), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := lock(f); err != nil {
			t.Fatal(err)
		}
		w.refused(name, isLocked, filepath.Base(name))
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	w.mustChange()
	f, err := vfs.OS.OpenFile(w.path("data/member/wal/0000000000000001-0000000000000300.wal"), os.O_RDWR, 0)
	if err == nil {
		err = f.Lock()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.undo(); !isLocked(err) {
		t.Errorf("undo: %v", err)
	}
	_ = f.Close()
}

// Logs that can't get another name are left alone.
func TestUnfit(t *testing.T) {
	w := newWorld(t, vfs.OS, t.TempDir(), forms["log alone"])
	for _, dir := range []string{"logs/none", "empty"} {
		if dir == "empty" {
			w.write("empty/0.tmp", nil)
		}
		at := change.Place{Log: w.path(dir)}
		w.at = &at
		w.refused(dir, isUnfit, "there is no ")
	}
	at := change.Place{Log: w.path("empty/0.tmp")}
	w.at = &at
	w.refused("a file", isUnfit, "it is no folder")
	w.at = nil
	if err := unix.Mount(w.path("logs/m1"), w.path("logs/m1"), "", unix.MS_BIND, ""); err != nil {
		if errors.Is(err, unix.EPERM) {
			return // nothing may be mounted here
		}
		t.Fatal(err)
	}
	w.refused("a mount", isUnfit, "a file system is mounted there")
	if err := unix.Unmount(w.path("logs/m1"), 0); err != nil {
		t.Fatal(err)
	}
}

// A user who may not write beside the log, or not give files to its owner, is told so, and changes nothing.
func TestOtherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Log("not root: can't be another user")
		return
	}
	const nobody = 65534
	for what, want := range map[string]string{
		"read-only": "no folder can be made in it: ",
		"foreign":   "what is made can't be given to its owner: ",
		"locked":    "permission denied",
	} {
		w := newWorld(t, vfs.OS, t.TempDir(), forms["log alone"])
		for dir := w.root; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
			if err := os.Chmod(dir, 0o755); err != nil { // what t.TempDir makes is for its owner only
				t.Fatal(err)
			}
		}
		modes := map[string]os.FileMode{"logs": 0o755, "logs/m1": 0o777}
		if what == "foreign" {
			modes["logs"] = 0o777
		}
		for name := range w.read("logs/m1") {
			modes["logs/m1/"+name] = 0o666
			if what == "locked" {
				modes["logs/m1/"+name] = 0o600
			}
		}
		for name, mode := range modes {
			if err := os.Chmod(w.path(name), mode); err != nil {
				t.Fatal(err)
			}
		}
		before, at := w.read(""), w.place()
		err := make(chan error)
		go func() {
			runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
			if _, failed := unix.SetfsgidRetGid(nobody); failed != nil {
				err <- failed
				return
			}
			if _, failed := unix.SetfsuidRetUid(nobody); failed != nil {
				err <- failed
				return
			}
			_, failed := change.Begin(change.Options{FS: vfs.OS, Source: at, InPlace: true, Now: now})
			err <- failed
		}()
		if got := <-err; !errors.Is(got, fs.ErrPermission) || !strings.Contains(got.Error(), want) || isUnfit(got) == (what == "locked") {
			t.Errorf("%s: %v, want %q", what, got, want)
		}
		w.checkSame(what, w.read(""), before)
	}
}
