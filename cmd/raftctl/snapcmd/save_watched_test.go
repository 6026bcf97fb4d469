package snapcmd

import (
	"io/fs"

	"github.com/raftctl/raftctl/internal/vfs"
)

// watchedFS tells how much was written to a file.
type watchedFS struct {
	vfs.FS
	watch func(written int64)
}

func (w watchedFS) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	f, err := w.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &watchedFile{File: f, watch: w.watch}, nil
}

type watchedFile struct {
	vfs.File
	written int64
	watch   func(written int64)
}

func (w *watchedFile) Write(b []byte) (int, error) {
	n, err := w.File.Write(b)
	w.written += int64(n)
	w.watch(w.written)
	return n, err
}
