package vfs

import "errors"

// FreeSpace returns how many bytes may still be written to the disk that a folder lies on. The error is
// errors.ErrUnsupported where that can't be asked.
func FreeSpace(fsys FS, dir string) (int64, error) {
	if f, ok := fsys.(interface {
		FreeSpace(dir string) (int64, error)
	}); ok {
		return f.FreeSpace(dir)
	}
	return 0, errors.ErrUnsupported
}

// FreeSpace implements the function of that name.
func (osFS) FreeSpace(dir string) (int64, error) { return freeSpace(dir) }

// WriteBehind asks the system to begin writing size bytes of a file at off to the disk, and waits until
// those before them are there: a later Sync then has little left to do, and progress is that of the disk.
// It is a hint, which says nothing about what is durable, and does nothing where there is no such call.
func WriteBehind(f File, off, size int64) {
	if f, ok := f.(interface{ writeBehind(off, size int64) }); ok {
		f.writeBehind(off, size)
	}
}
