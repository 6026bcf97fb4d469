package vfs_test

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/internal/vfs/faultfs"
)

// A power cut takes no folder that was made, be it the first or the last of a path, and whichever operation fails
// is told.
func TestMakeDirs(t *testing.T) {
	made := func(fsys *faultfs.FS) error { return vfs.MakeDirs(fsys, "/data/member/snap", 0o700) }
	fsys := faultfs.New()
	if err := fsys.MkdirAll("/data", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := fsys.SyncDir("/"); err != nil {
		t.Fatal(err)
	}
	before := fsys.Ops()
	if err := made(fsys); err != nil {
		t.Fatal(err)
	}
	after := fsys.Crash(faultfs.Crash{})
	if _, err := after.Stat("/data/member/snap"); err != nil {
		t.Errorf("after a power cut: %v", err)
	}
	if err := made(fsys); err != nil {
		t.Errorf("of what there is: %v", err)
	}
	if _, err := after.Stat("/data/member/wal"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of what there is not: %v", err)
	}
	for i := before; ; i++ {
		fresh := faultfs.New()
		if err := fresh.MkdirAll("/data", 0o700); err != nil {
			t.Fatal(err)
		}
		fresh.FailAt(i - before + 1)
		err := made(fresh)
		if err == nil {
			if i-before < 5 { // three looks, one that makes, two syncs
				t.Errorf("operation %d fails, and nobody is told", i-before)
			}
			return
		}
	}
}
