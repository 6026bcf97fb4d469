package wal

import "golang.org/x/sys/unix"

// inUse reports whether another process, or another writer of this one, holds the lock that a writer
// keeps on a segment. It only asks, and takes no lock.
func inUse(f segmentFile) bool {
	if shared, ok := f.(sharedHandle); ok {
		f = shared.segmentFile
	}
	file, ok := f.(interface{ Fd() uintptr })
	if !ok {
		return false
	}
	lock := unix.Flock_t{Type: unix.F_RDLCK}
	err := unix.FcntlFlock(file.Fd(), unix.F_OFD_GETLK, &lock)
	return err == nil && lock.Type != unix.F_UNLCK
}
