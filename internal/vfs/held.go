package vfs

import "io/fs"

// Hold says whether a process holds the lock on a file.
type Hold struct {
	Held bool
	PID  int // of the process, where the system tells; else 0
}

// statFile is what Held needs of a file. Only a file of the operating system, which has a descriptor,
// can be held.
type statFile interface {
	Stat() (fs.FileInfo, error)
}

// Held reports whether another open file, of this process or another, holds a lock on the one that f
// has open: etcd's on the segments of its log, and that on its database, which is of another kind.
// It only asks, and takes no lock, not even for a moment: an etcd that is about to start would give
// up on finding one. f may be open for reading only.
//
// The error is [errors.ErrUnsupported] if the system has no way to ask, as outside Linux. A process
// that can't be seen, as from within a container, may hold the lock on a database without being
// noticed.
func Held(f statFile) (Hold, error) {
	file, ok := f.(interface{ Fd() uintptr })
	if !ok {
		return Hold{}, nil
	}
	return held(file.Fd())
}
