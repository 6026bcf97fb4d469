//go:build unix

package vfs

import (
	"io/fs"
	"os"
	"syscall"
)

func adopt(name string, owner fs.FileInfo, perm fs.FileMode) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	now, isNow := info.Sys().(*syscall.Stat_t)
	want, isWant := owner.Sys().(*syscall.Stat_t)
	if isNow && isWant && (now.Uid != want.Uid || now.Gid != want.Gid) {
		err := os.Chown(name, int(want.Uid), int(want.Gid))
		if err != nil && now.Uid != want.Uid { // another group of one's own is no harm
			return err
		}
	}
	if info.Mode().Perm() == perm.Perm() {
		return nil
	}
	return os.Chmod(name, perm.Perm())
}
