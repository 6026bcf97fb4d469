package vfs

import (
	"errors"
	"fmt"
	"io/fs"
)

// ErrNotFile is returned when what should be a file is a folder, a pipe, or some other thing.
var ErrNotFile = errors.New("not a file")

// OpenRegular opens a file for reading, and returns what the file system says of it. Anything else is
// left alone: to open a pipe that nobody writes to would never end. The error is ErrNotFile, or that
// of the file system without the path.
func OpenRegular(fsys fs.FS, name string) (fs.File, fs.FileInfo, error) {
	info, err := fs.Stat(fsys, name)
	switch {
	case err != nil:
		return nil, nil, bare(err)
	case !info.Mode().IsRegular():
		return nil, nil, fmt.Errorf("%w: %v", ErrNotFile, info.Mode())
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, nil, bare(err)
	}
	if info, err = f.Stat(); err != nil {
		return nil, nil, errors.Join(bare(err), f.Close())
	}
	return f, info, nil
}

// bare strips operation and path from an error that is about to be told with the path.
func bare(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
