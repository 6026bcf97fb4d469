package vfs_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/raftctl/raftctl/internal/vfs"
)

// Two folders get each other's name, whatever is in them, and what is open or locked stays so.
func TestExchange(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "sub", "b")
	for _, name := range []string{a, b} {
		if err := os.MkdirAll(name, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(name, "f"), []byte(filepath.Base(name)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	held := open(t, filepath.Join(a, "f"), os.O_RDWR)
	if err := held.Lock(); err != nil {
		t.Fatal(err)
	}
	if err := vfs.Exchange(vfs.OS, a, b); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{a: "b", b: "a"} {
		if got, err := os.ReadFile(filepath.Join(name, "f")); string(got) != want || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if !isHeld(t, filepath.Join(b, "f")).Held || isHeld(t, filepath.Join(a, "f")).Held {
		t.Error("the lock doesn't go with the file")
	}
	if err := vfs.Exchange(vfs.OS, a, filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("with nothing: %v", err)
	}
	if err := vfs.Exchange(struct{ vfs.FS }{vfs.OS}, a, b); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("on a file system that can't: %v", err)
	}
	if err := vfs.Exchange(vfs.OS, a, filepath.Join(a, "sub")); err == nil {
		t.Error("with what lies in it: no error")
	}
}

// A file gets the owner and the permissions of another.
func TestAdopt(t *testing.T) {
	dir := t.TempDir()
	like, name := filepath.Join(dir, "like"), filepath.Join(dir, "f")
	for _, n := range []string{like, name} {
		if err := os.WriteFile(n, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	isRoot := os.Getuid() == 0
	if isRoot {
		if err := os.Chown(like, 1234, 2345); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(like)
	if err != nil {
		t.Fatal(err)
	}
	if err := vfs.Adopt(vfs.OS, name, info, 0o640); err != nil {
		t.Fatal(err)
	}
	got, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	st := got.Sys().(*syscall.Stat_t)
	if got.Mode() != 0o640 || isRoot && (st.Uid != 1234 || st.Gid != 2345) {
		t.Errorf("%v, of %d:%d", got.Mode(), st.Uid, st.Gid)
	}
	if err := vfs.Adopt(vfs.OS, filepath.Join(dir, "none"), info, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of no file: %v", err)
	}
	if !isRoot {
		t.Log("not root: no owner was changed")
	}
}

func TestRealPath(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for name, want := range map[string]string{"link": dir, ".": dir, "link/link/.": dir} {
		if got, err := vfs.RealPath(vfs.OS, name); got != want || err != nil {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	if _, err := vfs.RealPath(vfs.OS, "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of nothing: %v", err)
	}
}

// A folder at which another file system is mounted is told, and so is one at which a folder of the same is.
func TestIsMount(t *testing.T) {
	dir := t.TempDir()
	if is, err := vfs.IsMount(vfs.OS, dir); is || err != nil {
		t.Errorf("a folder: %v, %v", is, err)
	}
	if is, err := vfs.IsMount(vfs.OS, "/proc"); !is || err != nil {
		t.Errorf("/proc: %v, %v", is, err)
	}
	bound := filepath.Join(dir, "bound")
	if err := os.Mkdir(bound, 0o700); err != nil {
		t.Fatal(err)
	}
	switch err := unix.Mount(dir, bound, "", unix.MS_BIND, ""); {
	case errors.Is(err, unix.EPERM):
		t.Log("nothing may be mounted here")
	case err != nil:
		t.Fatal(err)
	default:
		is, err := vfs.IsMount(vfs.OS, bound)
		if err := unix.Unmount(bound, 0); err != nil {
			t.Fatal(err)
		}
		if !is || err != nil {
			t.Errorf("a folder that is bound: %v, %v", is, err)
		}
	}
	if is, err := vfs.IsMount(vfs.OS, filepath.Join(dir, "none")); is || !errors.Is(err, fs.ErrNotExist) ||
		!strings.Contains(err.Error(), "none") {
		t.Errorf("nothing: %v, %v", is, err)
	}
}
