//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package vfs

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// datasync is the full sync of package os, which on macOS also empties the disk's own cache.
func datasync(f *os.File) error { return f.Sync() }

func syncDir(d *os.File) error { return d.Sync() }

func allocate(f *os.File, now, size int64) error { return grow(f, now, size) }

func lock(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrLocked
	}
	return err
}
