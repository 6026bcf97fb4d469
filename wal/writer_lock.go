package wal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/raftctl/raftctl/internal/vfs"
)

// ErrLocked is returned when a running process holds the log: each segment that it may still read
// or write is locked.
var ErrLocked = vfs.ErrLocked

// locks are the segments that a writer holds, open and locked, in order. The last is the one that
// it writes to.
type locks struct {
	mu   sync.Mutex
	held []lockedSegment
}

type lockedSegment struct {
	name SegmentName
	file vfs.File
}

func (l *locks) add(name SegmentName, f vfs.File) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = append(l.held, lockedSegment{name, f})
}

func (l *locks) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for _, s := range l.held {
		errs = append(errs, s.file.Close())
	}
	l.held = nil
	return errors.Join(errs...)
}

// first returns the name of the oldest segment that is held.
func (l *locks) first() (SegmentName, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.held) == 0 {
		return SegmentName{}, false
	}
	return l.held[0].name, true
}

// ReleaseTo gives up the segments that hold only entries below index, which a snapshot has made
// superfluous. They stay on disk until Purge.
func (w *Writer) ReleaseTo(index uint64) error {
	w.locks.mu.Lock()
	defer w.locks.mu.Unlock()
	held := w.locks.held
	n := slices.IndexFunc(held, func(s lockedSegment) bool { return s.name.Index >= index })
	if n < 0 {
		n = len(held)
	}
	if n <= 1 { // the last one below index may hold it
		return nil
	}
	var errs []error
	for _, s := range held[:n-1] {
		if err := s.file.Close(); err != nil {
			errs = append(errs, fmt.Errorf("release: %w", err))
		}
	}
	w.locks.held = slices.Delete(held, 0, n-1)
	return errors.Join(errs...)
}

// Purge removes the oldest segments until keep are left, but none that the writer holds (see
// ReleaseTo) or that another process has locked. It returns the names of those that it removed. The
// oldest go first, each for good before the next, so that no gap can arise.
func (w *Writer) Purge(keep int) ([]SegmentName, error) {
	names, err := w.opts.Dialect.segmentNames(w.fsys, w.dir)
	if err != nil {
		return nil, err
	}
	first, ok := w.locks.first()
	if !ok {
		return nil, ErrWriterClosed
	}
	var gone []SegmentName
	for len(names)-len(gone) > max(keep, 1) {
		name := names[len(gone)]
		if name.Seq >= first.Seq {
			break
		}
		if err := w.remove(w.path(name)); err != nil {
			return gone, err
		}
		gone = append(gone, name)
	}
	return slices.Clip(gone), nil
}

// remove removes a segment that nobody holds.
func (w *Writer) remove(path string) error {
	f, err := openLocked(w.fsys, path, os.O_RDWR)
	if err != nil {
		return err
	}
	return removeOpen(w.fsys, f, path)
}

// removeOpen closes and removes a segment, for good. Where an open file can't be removed it is closed
// first, with its lock.
func removeOpen(fsys vfs.FS, f vfs.File, path string) error {
	removed := fsys.Remove(path) == nil
	if err := f.Close(); err != nil {
		return err
	}
	if !removed {
		if err := fsys.Remove(path); err != nil {
			return err
		}
	}
	return fsys.SyncDir(filepath.Dir(path))
}
