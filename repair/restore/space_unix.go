//go:build linux || darwin || freebsd

package restore

import (
	"io/fs"
	"math"

	"golang.org/x/sys/unix"
)

// freeSpace returns how many bytes a user may still write to the file system of a folder.
func freeSpace(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, &fs.PathError{Op: "statfs", Path: dir, Err: err}
	}
	blocks := uint64(max(int64(s.Bavail), 0))
	if size := uint64(s.Bsize); size > 0 && blocks > math.MaxInt64/size {
		return math.MaxInt64, nil
	}
	return int64(blocks * uint64(s.Bsize)), nil
}
