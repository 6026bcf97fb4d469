package wal

import (
	"errors"
	"path/filepath"
)

// resume makes the writer go on after the last record.
func (w *Writer) resume(r *replay) error {
	if r.cuts() {
		if err := w.removeBehind(r.part.end.Segment); err != nil {
			return err
		}
	}
	last := w.locks.held[len(w.locks.held)-1]
	if file := w.opts.Dialect.FileName(last.name); r.part.end.Segment != file {
		if r.part.damage != nil {
			return r.part.damage.Err()
		}
		return &CorruptError{File: file, Err: errors.New("no records")}
	}
	if r.decided {
		w.enc.flavor = r.flavor
	}
	info, err := last.file.Stat()
	if err != nil {
		return err
	}
	w.enc.flushed = flushModel{size: r.part.end.Off}
	w.tail = tail{file: last.file, off: r.part.end.Off, begun: r.part.end.Off, onSync: w.opts.OnSync}
	switch {
	case r.part.damage != nil:
		err = w.cutTorn(r)
	case r.cuts():
		err = w.cutTail()
	}
	if err != nil {
		return err
	}
	if w.tail.allocated, err = reserve(last.file, max(info.Size(), w.opts.segmentSize)); err != nil {
		return err
	}
	return removeSpares(w.fsys, w.dir)
}

// removeBehind removes the segments behind the one of a name, the newest first, each for good before
// the next, so that no gap can arise.
func (w *Writer) removeBehind(file string) error {
	w.locks.mu.Lock()
	defer w.locks.mu.Unlock()
	for n := len(w.locks.held); n > 1; n-- {
		s := w.locks.held[n-1]
		path := w.path(s.name)
		if filepath.Base(path) == file {
			return nil
		}
		w.locks.held = w.locks.held[:n-1]
		if err := removeOpen(w.fsys, s.file, path); err != nil {
			return err
		}
	}
	return nil
}

// cutTail cuts the segment off behind its last record. What was there must not come back after a
// crash: new records would then end in front of old bytes.
func (w *Writer) cutTail() error {
	if err := w.tail.file.Truncate(w.tail.off); err != nil {
		return err
	}
	w.tail.dirty = true
	return w.tail.sync()
}
