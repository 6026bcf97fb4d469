package faultfs

import (
	"io/fs"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/raftctl/raftctl/internal/vfs"
)

// Over is another file system, such as the machine's, that fails on demand: for code that hands paths to
// libraries which know no [vfs.FS]. What those do isn't counted and doesn't fail. It forgets nothing: a
// crash is that of a process.
type Over struct {
	fs    vfs.FS
	mu    sync.Mutex
	n     int
	watch func(Op) error
	space int64 // bytes that may still be written
}

var _ vfs.FS = (*Over)(nil)

// NewOver returns a file system over another, with room for everything.
func NewOver(below vfs.FS) *Over { return &Over{fs: below, space: roomy} }

// Watch is as that of [FS].
func (o *Over) Watch(watch func(Op) error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.watch = watch
}

// Ops returns how many operations were done so far.
func (o *Over) Ops() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.n
}

// SetSpace sets how many bytes may still be written; what is removed gives nothing back.
func (o *Over) SetSpace(n int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.space = n
}

// FreeSpace returns a number that SetSpace has set, or more than anyone writes.
func (o *Over) FreeSpace(string) (int64, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.space, nil
}

// begin counts an operation and asks whether it fails.
func (o *Over) begin(k Kind, name string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	op := Op{N: o.n, Kind: k, Name: name}
	o.n++
	if o.watch != nil {
		if err := o.watch(op); err != nil {
			return &fs.PathError{Op: string(k), Path: name, Err: err}
		}
	}
	return nil
}

// take takes disk space, and returns how much of it there was.
func (o *Over) take(n int64) int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	got := min(n, o.space)
	o.space -= got
	return got
}

// Open implements [vfs.FS].
func (o *Over) Open(name string) (vfs.File, error) {
	return o.opened(name, func() (vfs.File, error) { return o.fs.Open(name) })
}

// OpenFile implements [vfs.FS].
func (o *Over) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	return o.opened(name, func() (vfs.File, error) { return o.fs.OpenFile(name, flag, perm) })
}

func (o *Over) opened(name string, open func() (vfs.File, error)) (vfs.File, error) {
	if err := o.begin(OpOpen, name); err != nil {
		return nil, err
	}
	f, err := open()
	if err != nil {
		return nil, err
	}
	return &overFile{f, o}, nil
}

// Stat implements [vfs.FS].
func (o *Over) Stat(name string) (fs.FileInfo, error) {
	if err := o.begin(OpStat, name); err != nil {
		return nil, err
	}
	return o.fs.Stat(name)
}

// ReadDir implements [vfs.FS].
func (o *Over) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := o.begin(OpReadDir, name); err != nil {
		return nil, err
	}
	return o.fs.ReadDir(name)
}

// Rename implements [vfs.FS].
func (o *Over) Rename(from, to string) error {
	return o.do(OpRename, from, func() error { return o.fs.Rename(from, to) })
}

// Exchange implements [vfs.Exchange].
func (o *Over) Exchange(a, b string) error {
	return o.do(OpExchange, a, func() error { return vfs.Exchange(o.fs, a, b) })
}

// Adopt implements [vfs.Adopt].
func (o *Over) Adopt(name string, owner fs.FileInfo, perm fs.FileMode) error {
	return o.do(OpAdopt, name, func() error { return vfs.Adopt(o.fs, name, owner, perm) })
}

// RealPath implements [vfs.RealPath].
func (o *Over) RealPath(name string) (string, error) {
	if err := o.begin(OpStat, name); err != nil {
		return "", err
	}
	return vfs.RealPath(o.fs, name)
}

// IsMount implements [vfs.IsMount].
func (o *Over) IsMount(dir string) (bool, error) {
	if err := o.begin(OpStat, dir); err != nil {
		return false, err
	}
	return vfs.IsMount(o.fs, dir)
}

// Remove implements [vfs.FS].
func (o *Over) Remove(name string) error {
	return o.do(OpRemove, name, func() error { return o.fs.Remove(name) })
}

// RemoveAll implements [vfs.FS].
func (o *Over) RemoveAll(name string) error {
	return o.do(OpRemoveAll, name, func() error { return o.fs.RemoveAll(name) })
}

// MkdirAll implements [vfs.FS].
func (o *Over) MkdirAll(name string, perm fs.FileMode) error {
	return o.do(OpMkdir, name, func() error { return o.fs.MkdirAll(name, perm) })
}

// SyncDir implements [vfs.FS].
func (o *Over) SyncDir(name string) error {
	return o.do(OpSyncDir, filepath.Clean(name), func() error { return o.fs.SyncDir(name) })
}

func (o *Over) do(k Kind, name string, do func() error) error {
	if err := o.begin(k, name); err != nil {
		return err
	}
	return do()
}

// overFile is an open file.
type overFile struct {
	vfs.File
	o *Over
}

func (f *overFile) Read(b []byte) (int, error) {
	if err := f.o.begin(OpRead, f.Name()); err != nil {
		return 0, err
	}
	return f.File.Read(b)
}

func (f *overFile) ReadAt(b []byte, off int64) (int, error) {
	if err := f.o.begin(OpRead, f.Name()); err != nil {
		return 0, err
	}
	return f.File.ReadAt(b, off)
}

func (f *overFile) Write(b []byte) (int, error) { return f.write(b, 0, f.File.Write) }

func (f *overFile) WriteAt(b []byte, off int64) (int, error) {
	return f.write(b, off, func(b []byte) (int, error) { return f.File.WriteAt(b, off) })
}

// write writes half of b if the operation is made to fail, and what fits if the disk is full: up to the end
// of a sector, as no disk knows less.
func (f *overFile) write(b []byte, off int64, write func([]byte) (int, error)) (int, error) {
	err := f.o.begin(OpWrite, f.Name())
	if err != nil {
		b = b[:len(b)/2]
	} else if room := f.o.take(int64(len(b))); room < int64(len(b)) {
		b = b[:max(0, (off+room)&^(sector-1)-off)]
		err = &fs.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
	}
	n, failed := write(b)
	if failed != nil {
		err = failed
	}
	return n, err
}

func (f *overFile) Allocate(size int64) error {
	if err := f.o.begin(OpAllocate, f.Name()); err != nil {
		return err
	}
	if f.o.take(size) < size {
		return &fs.PathError{Op: "allocate", Path: f.Name(), Err: syscall.ENOSPC}
	}
	return f.File.Truncate(size)
}

func (f *overFile) Stat() (fs.FileInfo, error) {
	if err := f.o.begin(OpStat, f.Name()); err != nil {
		return nil, err
	}
	return f.File.Stat()
}

func (f *overFile) Sync() error {
	return f.o.do(OpSync, f.Name(), f.File.Sync)
}

func (f *overFile) Truncate(size int64) error {
	return f.o.do(OpTruncate, f.Name(), func() error { return f.File.Truncate(size) })
}

func (f *overFile) Lock() error {
	return f.o.do(OpLock, f.Name(), f.File.Lock)
}

// Close closes the file, also when the operation is made to fail.
func (f *overFile) Close() error {
	err := f.o.begin(OpClose, f.Name())
	if failed := f.File.Close(); failed != nil {
		return failed
	}
	return err
}
