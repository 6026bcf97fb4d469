package database

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/raftctl/raftctl/snapshot/bolt"
)

// heldCopy is a copy, in a temporary file, of a database that another process writes to.
type heldCopy struct {
	file *os.File
	size int64
}

// copyHeld copies a database while another process writes to it.
func copyHeld(ctx context.Context, f fs.File, at io.ReaderAt, o *Options) (*heldCopy, error) {
	tmp, err := os.CreateTemp("", "raftctl-db-")
	if err != nil {
		return nil, fmt.Errorf("temporary folder: %w; TMPDIR names another", err)
	}
	// Without a name it goes away with the process, however that ends. Where an open file can't be
	// removed, Close does it.
	_ = os.Remove(tmp.Name())
	c := &heldCopy{file: tmp}
	size := func() (int64, error) {
		info, err := f.Stat()
		if err != nil {
			return 0, err
		}
		return info.Size(), nil
	}
	if c.size, err = bolt.Copy(ctx, at, size, tmp, bolt.CopyOptions{Progress: o.Progress}); err != nil {
		return nil, errors.Join(explain(err, tmp), c.Close())
	}
	return c, nil
}

// explain says of a full disk where that is, and what to do.
func explain(err error, tmp *os.File) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("temporary folder %s: %w; TMPDIR names another",
			filepath.Dir(tmp.Name()), syscall.ENOSPC)
	}
	return err
}

// Close closes the file and removes it, where it still has a name.
func (c *heldCopy) Close() error {
	err := c.file.Close()
	if rm := os.Remove(c.file.Name()); !errors.Is(rm, fs.ErrNotExist) {
		err = errors.Join(err, rm)
	}
	return err
}
