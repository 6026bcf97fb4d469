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
	if b := w.peek(off); len(b) >= n {
		return b, nil
	}
	return w.reload(off, n)
}

// reload is load, but reads what is in memory anew where that is cheap: it keeps only bytes before
// the first missing one.
func (w *window) reload(off int64, n int) ([]byte, error) {
	rest := w.peek(off)
	want := max(n, windowSize)
	if cap(w.buf) < want {
		grown := make([]byte, len(rest), want)
		copy(grown, rest)
		w.buf = grown
	} else {
		w.buf = w.buf[:copy(w.buf[:want], rest)]
	}
	w.base = off
	return w.fill(want)
}

// forget drops what is in memory, so that the next load sees the file as it is now.
func (w *window) forget() { w.buf = w.buf[:0] }

func (w *window) fill(want int) ([]byte, error) {
	have := len(w.buf)
	n, err := w.src.ReadAt(w.buf[have:want], w.base+int64(have))
	w.buf = w.buf[:have+max(n, 0)]
	if errors.Is(err, io.EOF) { // the file ends within the window
		err = nil
	}
	return w.buf, err
}
