package faultfs

import (
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"syscall"

	"github.com/raftctl/raftctl/internal/vfs"
)

type file struct {
	fs       *FS
	node     *node
	name     string
	pos      int64
	writable bool
	closed   bool
}

func (f *file) Name() string { return f.name }

// begin counts an operation on the open file. The caller holds the file system's mutex.
func (f *file) begin(k Kind) error {
	if err := f.fs.begin(k, f.name); err != nil {
		return err
	}
	return f.usable(k)
}

func (f *file) usable(k Kind) error {
	writes := k == OpWrite || k == OpTruncate || k == OpAllocate || k == OpLock
	switch {
	case f.closed:
		return &fs.PathError{Op: string(k), Path: f.name, Err: fs.ErrClosed}
	case writes && !f.writable:
		return &fs.PathError{Op: string(k), Path: f.name, Err: syscall.EBADF}
	}
	return nil
}

func (f *file) Stat() (fs.FileInfo, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.begin(OpStat); err != nil {
		return nil, err
	}
	return f.node.info(path.Base(filepath.ToSlash(f.name))), nil
}

func (f *file) Read(b []byte) (int, error) {
	n, err := f.ReadAt(b, f.pos)
	f.pos += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (f *file) ReadAt(b []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.begin(OpRead); err != nil {
		return 0, err
	}
	if f.node.isDir() {
		return 0, &fs.PathError{Op: "read", Path: f.name, Err: syscall.EISDIR}
	}
	if off > int64(len(f.node.data)) {
		return 0, io.EOF
	}
	n := copy(b, f.node.data[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) Write(b []byte) (int, error) {
	n, err := f.WriteAt(b, f.pos)
	f.pos += int64(n)
	return n, err
}

// WriteAt writes about half of b, up to the end of a sector, if the operation is made to fail, and
// what fits if the disk is full.
func (f *file) WriteAt(b []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	err := f.fs.begin(OpWrite, f.name)
	if bad := f.usable(OpWrite); bad != nil {
		return 0, bad
	}
	if err != nil {
		half := (off + int64(len(b)/2)) &^ (sector - 1)
		b = b[:max(0, half-off)]
	} else if room := f.reserve(off + int64(len(b))); room < 0 {
		b = b[:max(0, int64(len(b))+room)]
		err = &fs.PathError{Op: "write", Path: f.name, Err: syscall.ENOSPC}
	}
	if len(b) > 0 {
		f.node.write(off, b)
	}
	return len(b), err
}

// sector is what a disk writes as a whole or not at all, in bytes.
const sector = 512

// reserve takes disk space for the first size bytes of the file. It returns how many bytes are
// missing, as a negative number; what there is, it takes.
func (f *file) reserve(size int64) int64 {
	need := size - f.node.used
	if need <= 0 {
		return 0
	}
	got := min(need, f.fs.space)
	f.fs.space -= got
	f.node.used += got
	return got - need
}

func (f *file) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.begin(OpSync); err != nil {
		f.node.pending = nil // lost: a later sync that succeeds doesn't bring them back
		return err
	}
	f.node.sync()
	return nil
}

func (f *file) Truncate(size int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.begin(OpTruncate); err != nil {
		return err
	}
	if freed := f.node.used - size; freed > 0 {
		f.fs.space += freed
		f.node.used = size
	}
	f.node.resize(size)
	return nil
}

func (f *file) Allocate(size int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.begin(OpAllocate); err != nil {
		return err
	}
	if need := size - f.node.used; need > f.fs.space {
		return &fs.PathError{Op: "allocate", Path: f.name, Err: syscall.ENOSPC}
	}
	f.reserve(size)
	if size > int64(len(f.node.data)) {
		f.node.resize(size)
	}
	return nil
}

func (f *file) Lock() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.begin(OpLock); err != nil {
		return err
	}
	if f.node.owner != nil && f.node.owner != f {
		return &fs.PathError{Op: "lock", Path: f.name, Err: vfs.ErrLocked}
	}
	f.node.owner = f
	return nil
}

// Close closes the file, also when the operation is made to fail, as the system does.
func (f *file) Close() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	err := f.begin(OpClose)
	f.closed = true
	if f.node.owner == f {
		f.node.owner = nil
	}
	return err
}
