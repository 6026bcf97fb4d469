package vfs

import (
	"errors"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"
)

func isMount(dir string) (bool, error) {
	var st, up unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, dir, 0, unix.STATX_BASIC_STATS, &st)
	if errors.Is(err, unix.ENOSYS) {
		return false, nil
	}
	if err == nil {
		err = unix.Statx(unix.AT_FDCWD, filepath.Join(dir, ".."), 0, unix.STATX_BASIC_STATS, &up)
	}
	if err != nil {
		return false, &fs.PathError{Op: "statx", Path: dir, Err: err}
	}
	return st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0 || st.Dev_major != up.Dev_major || st.Dev_minor != up.Dev_minor, nil
}
