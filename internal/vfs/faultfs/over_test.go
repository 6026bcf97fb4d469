package faultfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/raftctl/raftctl/internal/vfs"
)

// Every operation is counted, and fails when it is its turn.
func TestOverFails(t *testing.T) {
	o := NewOver(vfs.OS)
	name := filepath.Join(t.TempDir(), "f")
	f, err := o.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	o.Watch(func(Op) error { return ErrInjected })
	buf := make([]byte, 1)
	for kind, do := range map[Kind]func() error{
		OpOpen:      func() error { _, err := o.Open(name); return err },
		OpStat:      func() error { _, err := o.Stat(name); return err },
		OpReadDir:   func() error { _, err := o.ReadDir(name); return err },
		OpRename:    func() error { return o.Rename(name, name+"2") },
		OpRemove:    func() error { return o.Remove(name) },
		OpRemoveAll: func() error { return o.RemoveAll(name) },
		OpMkdir:     func() error { return o.MkdirAll(name, 0o700) },
		OpSyncDir:   func() error { return o.SyncDir(name) },
		OpRead:      func() error { _, err := f.ReadAt(buf, 0); return err },
		OpWrite:     func() error { _, err := f.Write([]byte("1234")); return err },
		OpSync:      f.Sync,
		OpTruncate:  func() error { return f.Truncate(1) },
		OpAllocate:  func() error { return f.Allocate(1) },
		OpLock:      f.Lock,
		OpExchange:  func() error { return vfs.Exchange(o, name, name) },
		OpAdopt:     func() error { return vfs.Adopt(o, name, nil, 0o600) },
	} {
		before := o.Ops()
		var path *fs.PathError
		if err := do(); !errors.Is(err, ErrInjected) || !errors.As(err, &path) || path.Op != string(kind) {
			t.Errorf("%s: %v", kind, err)
		}
		if o.Ops() != before+1 {
			t.Errorf("%s: counted %d times", kind, o.Ops()-before)
		}
	}
	o.Watch(nil)
	if info, err := f.Stat(); err != nil || info.Size() != 2 {
		t.Errorf("%v, %v; want half of the write that failed", info, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func TestOverSpace(t *testing.T) {
	o := NewOver(vfs.OS)
	f, err := o.OpenFile(filepath.Join(t.TempDir(), "f"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	o.SetSpace(10)
	if err := f.Allocate(11); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v, want a full disk", err)
	}
	o.SetSpace(1000)
	if n, err := f.WriteAt(make([]byte, 1200), 500); n != 1024-500 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%d, %v; want a whole sector and a full disk", n, err)
	}
	if free, err := vfs.FreeSpace(o, "."); free != 0 || err != nil {
		t.Errorf("%d free, %v", free, err)
	}
}
