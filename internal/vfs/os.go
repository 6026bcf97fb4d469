package vfs

import (
	"errors"
	"io/fs"
	"os"
)

// OS is the file system of the machine.
var OS FS = osFS{}

type osFS struct{}

func (osFS) Open(name string) (File, error) { return osFS{}.OpenFile(name, os.O_RDONLY, 0) }

func (osFS) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (osFS) Stat(name string) (fs.FileInfo, error)        { return os.Stat(name) }
func (osFS) ReadDir(name string) ([]fs.DirEntry, error)   { return os.ReadDir(name) }
func (osFS) Rename(from, to string) error                 { return os.Rename(from, to) }
func (osFS) Remove(name string) error                     { return os.Remove(name) }
func (osFS) RemoveAll(name string) error                  { return os.RemoveAll(name) }
func (osFS) MkdirAll(name string, perm fs.FileMode) error { return os.MkdirAll(name, perm) }

func (osFS) SyncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(syncDir(d), d.Close())
}

type osFile struct{ *os.File }

func (f osFile) Sync() error {
	return wrap("sync", f, datasync(f.File))
}

func (f osFile) Allocate(size int64) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return wrap("allocate", f, allocate(f.File, info.Size(), size))
}

func (f osFile) Lock() error {
	return wrap("lock", f, lock(f.File))
}

// wrap names the operation and the file in errors of the system's calls, as package os does.
func wrap(op string, f osFile, err error) error {
	if err == nil {
		return nil
	}
	if _, named := errors.AsType[*fs.PathError](err); named {
		return err
	}
	return &fs.PathError{Op: op, Path: f.Name(), Err: err}
}

// grow makes the file size bytes long unless it is longer.
func grow(f *os.File, now, size int64) error {
	if now >= size {
		return nil
	}
	return f.Truncate(size)
}
