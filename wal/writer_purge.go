package wal

import (
	"os"
	"slices"
)

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

// remove removes a segment that nobody holds. Where an open file can't be removed it is closed
// first, with its lock.
func (w *Writer) remove(path string) error {
	f, err := openLocked(w.fsys, path, os.O_RDWR)
	if err != nil {
		return err
	}
	removed := w.fsys.Remove(path) == nil
	if err := f.Close(); err != nil {
		return err
	}
	if !removed {
		if err := w.fsys.Remove(path); err != nil {
			return err
		}
	}
	return w.fsys.SyncDir(w.dir)
}
