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
