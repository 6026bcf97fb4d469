package vfs

import (
	"io/fs"
	"os"
	"path/filepath"
)

// RealPath returns the absolute path of a file or folder without symbolic links in it. On a file system that
// has none it is the path itself.
func RealPath(fsys FS, name string) (string, error) {
	if f, ok := fsys.(interface {
		RealPath(name string) (string, error)
	}); ok {
		return f.RealPath(name)
	}
	return filepath.Clean(name), nil
}

// RealPath implements the function of that name.
func (osFS) RealPath(name string) (string, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}

// IsMount reports whether a file system is mounted at a folder, or a part of one is bound there: such a
// folder can't get another name. It is false where that can't be asked.
func IsMount(fsys FS, dir string) (bool, error) {
	if f, ok := fsys.(interface {
		IsMount(dir string) (bool, error)
	}); ok {
		return f.IsMount(dir)
	}
	return false, nil
}

// IsMount implements the function of that name.
func (osFS) IsMount(dir string) (bool, error) { return isMount(dir) }

// SameFile reports whether two FileInfos are of one file, whatever it is called.
func SameFile(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) || a.Sys() != nil && a.Sys() == b.Sys()
}
