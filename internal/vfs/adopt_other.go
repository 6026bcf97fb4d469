//go:build !unix

package vfs

import (
	"io/fs"
	"os"
)

func adopt(name string, _ fs.FileInfo, perm fs.FileMode) error { return os.Chmod(name, perm.Perm()) }
