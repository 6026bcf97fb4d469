package wal

import (
	"errors"
	"fmt"
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
