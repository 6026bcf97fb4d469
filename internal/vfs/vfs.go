// Package vfs is the writing side of the file system: what the packages that write logs and
// snapshots need of it, and no more. [OS] is the real one; package faultfs is its twin for tests,
// which fails on demand and forgets what was not synced.
//
// What is durable when:
//
//   - a file's bytes and size once Sync has returned nil;
//   - a file's name, or that it is gone, once SyncDir of its folder has returned nil, and that of
//     every folder above it that is new.
//
// A Sync that failed must not be tried again: the system may have dropped the bytes that it could
// not write and would then report success over their loss.
package vfs

import (
	"errors"
	"io"
	"io/fs"
)

// ErrLocked is returned when another open file holds the lock on a file, in this process or
// another.
var ErrLocked = errors.New("locked by another process")

// File is an open file. Its methods may be called from several goroutines, but those that move the
// position (Read, Write) from one at a time.
type File interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.WriterAt
	io.Closer

	Name() string // as it was opened
	Stat() (fs.FileInfo, error)

	// Sync makes the file's bytes and its size durable, though not its times.
	Sync() error

	// Truncate sets the file's size in bytes. What it grows by reads as zeros.
	Truncate(size int64) error

	// Allocate reserves disk space for the first size bytes of the file, and makes the file that
	// large if it is smaller. What it grows by reads as zeros. On a file system that can't reserve,
	// it only makes the file larger.
	Allocate(size int64) error

	// Lock takes the exclusive lock on the file, which must be open for writing, without waiting:
	// ErrLocked if another open file holds it. Close releases it.
	Lock() error
}

// FS is a file system that can be written to. Names are paths as the system spells them.
type FS interface {
	// Open opens a file for reading.
	Open(name string) (File, error)

	// OpenFile opens a file with the flags of package os.
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)

	Stat(name string) (fs.FileInfo, error)
	ReadDir(name string) ([]fs.DirEntry, error)
	Rename(from, to string) error
	Remove(name string) error
	RemoveAll(name string) error
	MkdirAll(name string, perm fs.FileMode) error

	// SyncDir makes durable which files lie in a folder, and under which names.
	SyncDir(name string) error
}
