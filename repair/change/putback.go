package change

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"time"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/staging"
)

// putBack puts back what a change has replaced. It goes by what it finds, so that it may be run again
// wherever it was interrupted.
type putBack struct {
	fs   vfs.FS
	at   Place
	e    *event // with which the change began
	from string // the folder in which the old log lies
	kept string // where the new one goes
	now  time.Time
}

func (b *putBack) run(ctx context.Context) error {
	if b.from == "" {
		return &AlteredError{b.at.Log, "the original isn't found"}
	}
	if err := b.returnBad(ctx); err != nil {
		return err
	}
	if err := b.swap(); err != nil {
		return err
	}
	for _, f := range b.e.Added {
		if err := b.removeAdded(ctx, f); err != nil {
			return err
		}
	}
	if len(b.e.Added) > 0 {
		return b.fs.SyncDir(b.at.Snap)
	}
	return nil
}

// swap puts the old log in its place. Where it is there already, the new one may still lie where it was by
// then.
func (b *putBack) swap() error {
	if b.from != b.at.Log {
		return swapIn(b.fs, b.from, b.at.Log, b.kept)
	}
	for _, dir := range []string{b.at.beside(b.e.Kept), b.staged()} {
		is, err := exists(b.fs, dir)
		if err != nil {
			return err
		}
		if !is || dir == b.kept {
			continue
		}
		if err := b.fs.Rename(dir, b.kept); err != nil {
			return err
		}
		return syncParents(b.fs, dir, b.kept)
	}
	return nil
}

// staged is the log in the folder in which it was made.
func (b *putBack) staged() string {
	return filepath.Join(b.at.beside(b.e.Staged), staging.WALName)
}

// returnBad gives snapshot files their names back.
func (b *putBack) returnBad(ctx context.Context) error {
	for _, q := range b.e.Quarantined {
		aside := filepath.Join(b.at.Snap, q.To)
		is, err := exists(b.fs, aside)
		if err != nil {
			return err
		}
		if !is {
			continue
		}
		for _, f := range b.e.Added {
			if f.Name != q.Name {
				continue
			}
			if err := b.removeAdded(ctx, f); err != nil {
				return err
			}
		}
		if err := b.returnOne(q, aside); err != nil {
			return err
		}
	}
	if len(b.e.Quarantined) > 0 {
		return b.fs.SyncDir(b.at.Snap)
	}
	return nil
}

// returnOne gives a file its name back, unless another one has it by now.
func (b *putBack) returnOne(q Renamed, aside string) error {
	path := filepath.Join(b.at.Snap, q.Name)
	is, err := exists(b.fs, path)
	if err != nil || is {
		return err
	}
	return b.fs.Rename(aside, path)
}

// removeAdded removes a snapshot file that was added. One that isn't any more what was added gets another
// name.
func (b *putBack) removeAdded(ctx context.Context, f File) error {
	path := filepath.Join(b.at.Snap, f.Name)
	is, err := exists(b.fs, path)
	if err != nil || !is {
		return err
	}
	now, err := sumOne(ctx, b.fs, path)
	if err != nil {
		return err
	}
	for _, q := range b.e.Quarantined {
		if q.Name == f.Name && same(now, q.File) {
			return nil // it was never replaced, or is back
		}
	}
	if same(now, f) {
		return b.fs.Remove(path)
	}
	to, err := unused(b.fs, path+".undone-"+b.now.UTC().Format(timeLayout))
	if err != nil {
		return err
	}
	return b.fs.Rename(path, to)
}

// folders are those in which the change was made.
func (b *putBack) folders() []string {
	mark := b.e.Staged[strings.LastIndex(b.e.Staged, string(staging.Changing)):]
	dirs := []string{b.at.beside(b.e.Staged)}
	if b.at.Snap != "" {
		dirs = append(dirs, b.at.Snap+mark)
	}
	return dirs
}

// clean removes them.
func (b *putBack) clean() error {
	var errs []error
	for _, dir := range b.folders() {
		errs = append(errs, b.fs.RemoveAll(dir))
	}
	return errors.Join(errs...)
}
