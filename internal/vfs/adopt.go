package vfs

import "io/fs"

// Adopt gives a file or folder to the owner of another one, and sets its permissions, for good. The error is
// [fs.ErrPermission] if the process may not give it to that owner. Where files have no owners, only the
// permissions are set, and a file system that knows neither does nothing.
func Adopt(fsys FS, name string, owner fs.FileInfo, perm fs.FileMode) error {
	if f, ok := fsys.(interface {
		Adopt(name string, owner fs.FileInfo, perm fs.FileMode) error
	}); ok {
		return f.Adopt(name, owner, perm)
	}
	return nil
}

// Adopt implements the function of that name.
func (osFS) Adopt(name string, owner fs.FileInfo, perm fs.FileMode) error {
	return adopt(name, owner, perm)
}
