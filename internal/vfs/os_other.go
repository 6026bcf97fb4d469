//go:build !linux && !windows && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package vfs

import (
	"errors"
	"os"
)

func datasync(f *os.File) error { return f.Sync() }

func syncDir(d *os.File) error { return d.Sync() }

func allocate(f *os.File, now, size int64) error { return grow(f, now, size) }

// lock fails rather than pretend that nobody else writes.
func lock(*os.File) error { return errors.ErrUnsupported }
