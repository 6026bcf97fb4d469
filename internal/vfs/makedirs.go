package vfs

import (
	"errors"
	"io/fs"
	"path/filepath"
)

// MakeDirs makes a folder and those above it that there aren't yet, and makes their names durable: what is synced
// in a folder whose own name isn't durable is lost with it.
func MakeDirs(fsys FS, dir string, perm fs.FileMode) error {
	var parents []string // of those that are new, the deepest first
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		_, err := fsys.Stat(at)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		parents = append(parents, filepath.Dir(at))
	}
	if err := fsys.MkdirAll(dir, perm); err != nil {
		return err
	}
	for _, parent := range parents {
		if err := fsys.SyncDir(parent); err != nil {
			return err
		}
	}
	return nil
}
