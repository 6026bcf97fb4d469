package wal

import (
	"errors"
	"io"
)

// windowSize is how much of a segment is held in memory: large enough that system calls don't
// count, small enough to stay in a core's cache.
const windowSize = 256 << 10

// window holds a part of a file in memory. It moves forward mostly.
type window struct {
	src  io.ReaderAt
	size int64  // of the file, as far as is known; only what is read ahead depends on it
	buf  []byte // the file's bytes from base on
	base int64
}

// peek returns the bytes from off on that are in memory.
func (w *window) peek(off int64) []byte {
	lo := off - w.base
	if lo < 0 || lo >= int64(len(w.buf)) {
		return nil
	}
	return w.buf[lo:]
}

// load returns n bytes from off on, or more, or fewer if the file ends before. The caller has
// checked n against the size of the file. What load and peek returned before becomes invalid.
func (w *window) load(off int64, n int) ([]byte, error) {
	rest := w.peek(off)
	if len(rest) >= n {
		return rest, nil
	}
	// Whole windows are read even for a large frame, but no more than that ahead of it.
	want := max(n, int(min(windowSize, max(w.size-off, 0))))
	if cap(w.buf) < want {
		grown := make([]byte, len(rest), want)
		copy(grown, rest)
		w.buf = grown
	} else {
		w.buf = w.buf[:copy(w.buf[:want], rest)]
	}
	w.base = off
	have := len(w.buf)
	m, err := w.src.ReadAt(w.buf[have:want], off+int64(have))
	w.buf = w.buf[:have+max(m, 0)]
	if errors.Is(err, io.EOF) { // the file ends within the window
		err = nil
	}
	return w.buf, err
}

// forget drops what is in memory, so that the next load sees the file as it is now.
func (w *window) forget() { w.buf = w.buf[:0] }
