package vfs

import (
	"io"
	"io/fs"
	"path/filepath"
)

// DirFS returns the folder dir of fsys as an [fs.FS], for code that only reads. Its files are
// [io.ReaderAt]s.
func DirFS(fsys FS, dir string) fs.FS { return dirFS{fsys, dir} }

type dirFS struct {
	fsys FS
	dir  string
}

// path returns the system's spelling of a name below the folder.
func (d dirFS) path(op, name string) (string, error) {
	if !fs.ValidPath(name) {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return filepath.Join(d.dir, filepath.FromSlash(name)), nil
}

// Open opens a file or a folder.
func (d dirFS) Open(name string) (fs.File, error) {
	path, err := d.path("open", name)
	if err != nil {
		return nil, err
	}
	info, err := d.fsys.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return d.fsys.Open(path)
	}
	entries, err := d.fsys.ReadDir(path)
	if err != nil {
		return nil, err
	}
	return &openDir{info: info, rest: entries}, nil
}

// Stat implements [fs.StatFS].
func (d dirFS) Stat(name string) (fs.FileInfo, error) {
	path, err := d.path("stat", name)
	if err != nil {
		return nil, err
	}
	return d.fsys.Stat(path)
}

// ReadDir implements [fs.ReadDirFS].
func (d dirFS) ReadDir(name string) ([]fs.DirEntry, error) {
	path, err := d.path("readdir", name)
	if err != nil {
		return nil, err
	}
	return d.fsys.ReadDir(path)
}

// openDir is a folder opened as a file.
type openDir struct {
	info fs.FileInfo
	rest []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *openDir) Close() error               { return nil }

func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.info.Name(), Err: fs.ErrInvalid}
}

// ReadDir implements [fs.ReadDirFile].
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(d.rest)
	} else if len(d.rest) == 0 {
		return nil, io.EOF // the end of the listing
	}
	n = min(n, len(d.rest))
	list := d.rest[:n]
	d.rest = d.rest[n:]
	return list, nil
}
