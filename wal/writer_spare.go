package wal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/raftctl/raftctl/internal/vfs"
)

// spare is a file that will become the next segment, locked.
type spare struct {
	file      vfs.File
	path      string
	allocated int64 // 0 if no space could be reserved
}

type prepared struct {
	spare spare
	err   error
}

// preparer makes the next segment in the background while the current one fills, under the names
// that etcd uses for it, 0.tmp and 1.tmp.
type preparer struct {
	fsys   vfs.FS
	dir    string
	size   int64 // of a segment
	inline bool  // only when it is needed

	made   int
	result chan prepared // nil while nothing is on its way
}

// prepareAhead begins to prepare the next segment once the current one is half full.
func (p *preparer) prepareAhead(off int64) {
	if p.result != nil || p.inline || off < p.size/2 {
		return
	}
	result := make(chan prepared, 1)
	p.result = result
	path := p.path()
	go func() {
		s, err := p.prepare(path)
		result <- prepared{s, err}
	}()
}

func (p *preparer) path() string {
	return filepath.Join(p.dir, fmt.Sprintf("%d.tmp", p.made%2))
}

// take returns the spare, and makes one now if there is none.
func (p *preparer) take() (spare, error) {
	path := p.path()
	p.made++
	if p.result == nil {
		return p.prepare(path)
	}
	r := <-p.result
	p.result = nil
	if r.err != nil { // the disk may have room again, or the file can do without
		return p.prepare(path)
	}
	return r.spare, nil
}

// prepare makes an empty locked file with space reserved. If the disk is too full for that, the
// file will take its space as it grows.
func (p *preparer) prepare(path string) (spare, error) {
	f, err := openLocked(p.fsys, path, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return spare{}, err
	}
	allocated, err := reserve(f, p.size)
	if err != nil {
		return spare{}, p.discard(spare{file: f, path: path}, err)
	}
	return spare{file: f, path: path, allocated: allocated}, nil
}

// reserve reserves space for size bytes, and returns how many bytes are reserved: 0 if the disk is
// too full.
func reserve(f vfs.File, size int64) (int64, error) {
	err := f.Allocate(size)
	if err == nil {
		return size, nil
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return 0, nil
	}
	return 0, err
}

// discard closes and removes a spare.
func (p *preparer) discard(s spare, because error) error {
	return errors.Join(because, s.file.Close(), p.fsys.Remove(s.path))
}

// close removes the spare.
func (p *preparer) close() error {
	if p.result == nil {
		return nil
	}
	r := <-p.result
	p.result = nil
	if r.err != nil {
		return nil // nothing was prepared, and nobody needs it any more
	}
	return p.discard(r.spare, nil)
}

// removeSpares removes what a writer that was killed had prepared.
func removeSpares(fsys vfs.FS, dir string) error {
	var errs []error
	for _, name := range []string{"0.tmp", "1.tmp"} {
		if err := fsys.Remove(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
