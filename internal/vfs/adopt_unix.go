//go:build unix

package vfs

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

func adopt(name string, owner fs.FileInfo, perm fs.FileMode) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(adoptOpen(f, owner, perm.Perm()), f.Close())
}

func adoptOpen(f *os.File, owner fs.FileInfo, perm fs.FileMode) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	now, isNow := info.Sys().(*syscall.Stat_t)
	want, isWant := owner.Sys().(*syscall.Stat_t)
	isOther := isNow && isWant && (now.Uid != want.Uid || now.Gid != want.Gid)
	if isOther {
		err := f.Chown(int(want.Uid), int(want.Gid))
		if err != nil && now.Uid != want.Uid { // another group of one's own is no harm
			return err
		}
	}
	if !isOther && info.Mode().Perm() == perm {
		return nil
	}
	return errors.Join(f.Chmod(perm), f.Sync()) // a datasync may leave the owner out
}
