package datadir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// errNotDir is what a system says of a path that leads through a file.
var errNotDir error = syscall.ENOTDIR

// FindPath finds the member at a path of the machine, as a user types it; see Find. The names in its
// places, and in its errors, can be typed in place of the path.
func FindPath(name string, o Options) (*Member, error) {
	if o.Suffix == "" {
		o.Suffix = SegmentSuffix
	}
	if o.WalDir == "" {
		f, err := finderOf(name, &o)
		if err != nil {
			return nil, err
		}
		return f.find()
	}
	wal, err := finderOf(o.WalDir, &o)
	if err != nil {
		return nil, err
	}
	data, err := finderOf(name, &o)
	if err != nil {
		return nil, err
	}
	return data.with(wal, name == "" || name == o.WalDir)
}

// finderOf returns a finder that sees the whole file system, since what belongs to a log may lie
// beside it.
func finderOf(name string, o *Options) (*finder, error) {
	fsys, inner, err := locate(name, o.Dir)
	if err != nil {
		return nil, err
	}
	return &finder{fsys: fsys, given: inner, typed: name, o: o}, nil
}

// locate returns the file system that a path lies in, and its name there.
func locate(name, dir string) (fsys fs.FS, inner string, err error) {
	if name == "" {
		name = "."
	}
	if dir != "" && !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	abs, err := filepath.Abs(name)
	if err != nil {
		return nil, "", err
	}
	root := filepath.VolumeName(abs) + string(filepath.Separator)
	inner = filepath.ToSlash(strings.TrimPrefix(abs, root))
	if inner == "" {
		inner = "."
	}
	if !fs.ValidPath(inner) {
		return nil, "", &fs.PathError{Op: "open", Path: name, Err: errors.ErrUnsupported}
	}
	return os.DirFS(root), inner, nil
}
