package change

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/internal/vfs"
)

// locks are segments that are open and locked, as etcd locks them, so that no etcd starts on them.
type locks struct {
	fs   vfs.FS
	held []heldSegment
	more []heldSegment // of another log
}

type heldSegment struct {
	name string // without the folder
	file vfs.File
	info fs.FileInfo
}

// take locks all segments in a folder. The error is [vfs.ErrLocked] if another process has one locked.
func (l *locks) take(dir string) error {
	entries, err := l.fs.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), datadir.SegmentSuffix) {
			continue
		}
		if err := l.one(dir, e.Name()); err != nil {
			return err
		}
	}
	return nil
}

// one locks a segment, and sees that it is still the one of that name: another change may have put an
// other log in its place before the lock was taken.
func (l *locks) one(dir, name string) error {
	path := filepath.Join(dir, name)
	f, err := l.fs.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return replaced(path)
	}
	if err != nil {
		return err
	}
	l.held = append(l.held, heldSegment{name: name, file: f})
	if err := f.Lock(); err != nil {
		return err
	}
	opened, err := f.Stat()
	if err != nil {
		return err
	}
	named, err := l.fs.Stat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err != nil || !vfs.SameFile(opened, named) {
		return replaced(path)
	}
	l.held[len(l.held)-1].info = opened
	return nil
}

// replaced says that a file isn't any more what it was a moment before.
func replaced(path string) error {
	return fmt.Errorf("%s: %w: it was replaced just now", path, vfs.ErrLocked)
}

// takeMore locks the segments in another folder, for as long as those that are held.
func (l *locks) takeMore(dir string) error {
	more := locks{fs: l.fs}
	err := more.take(dir)
	l.more = append(l.more, more.held...)
	return err
}

// lies reports whether the segments that are held lie in a folder.
func (l *locks) lies(dir string) (bool, error) {
	for _, s := range l.held {
		info, err := l.fs.Stat(filepath.Join(dir, s.name))
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if !vfs.SameFile(info, s.info) {
			return false, nil
		}
	}
	return len(l.held) > 0, nil
}

// release gives the locks up.
func (l *locks) release() error {
	var errs []error
	for _, s := range append(l.held, l.more...) {
		errs = append(errs, s.file.Close())
	}
	l.held, l.more = nil, nil
	return errors.Join(errs...)
}

// checkDatabase refuses a database that a running process holds, as far as the system can tell.
func checkDatabase(fsys vfs.FS, p Place) (err error) {
	name := p.database()
	if name == "" {
		return nil
	}
	f, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	hold, err := vfs.Held(f)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
	case hold.Held && hold.PID > 0:
		return fmt.Errorf("%s: %w: %d", name, vfs.ErrLocked, hold.PID)
	case hold.Held:
		return fmt.Errorf("%s: %w", name, vfs.ErrLocked)
	}
	return nil
}
