package rows

import (
	"bufio"
	"errors"
	"io"
)

// ErrEnough is returned when the limit of a Writer is reached.
var ErrEnough = errors.New("enough")

// Ended returns the error of an output whose reading ended with read, and whose last bytes were then written with
// written. That of writing comes first: it is a closed pipe, most likely, of which reading knows nothing. To have
// enough is none.
func Ended(read, written error) error {
	switch {
	case written != nil:
		return written
	case errors.Is(read, ErrEnough):
		return nil
	}
	return read
}

// bufferSize is how much output is collected before it is written.
const bufferSize = 256 << 10

// Writer writes lines.
type Writer struct {
	Limit int  // end after that many lines; 0: none
	Live  bool // write each batch at once

	// Separator returns what stands before a line, of shown before it; nil: nothing.
	Separator func(shown int) []byte

	Tail  Ring // where it has a size, lines are kept there, and written by FlushTail
	Shown int  // lines written
	Marks int  // what the workers counted, up to the last line that was written or all

	out *bufio.Writer
}

// NewWriter returns a Writer that writes to out.
func NewWriter(out io.Writer) *Writer { return &Writer{out: bufio.NewWriterSize(out, bufferSize)} }

// Write writes what stands around lines.
func (w *Writer) Write(b []byte) (int, error) { return w.out.Write(b) }

// Flush writes what was collected.
func (w *Writer) Flush() error { return w.out.Flush() }

func (w *Writer) writeBatch(out []byte, lines []line, marks int) error {
	if w.Limit == 0 && w.Tail.Size == 0 && len(w.separator()) == 0 {
		w.Shown += len(lines) // all at once
		if _, err := w.out.Write(out); err != nil {
			return err
		}
		return w.finishBatch(marks)
	}
	from := 0
	for _, l := range lines {
		text := out[from:l.end]
		from = l.end
		if w.Tail.Size > 0 {
			w.Tail.Push(text)
			continue
		}
		if err := w.writeLine(text); err != nil {
			return err
		}
		if w.Shown == w.Limit {
			w.Marks += l.marks
			return ErrEnough
		}
	}
	return w.finishBatch(marks)
}

func (w *Writer) finishBatch(marks int) error {
	w.Marks += marks
	if w.Live {
		return w.out.Flush()
	}
	return nil
}

func (w *Writer) separator() []byte {
	if w.Separator == nil {
		return nil
	}
	return w.Separator(w.Shown)
}

func (w *Writer) writeLine(text []byte) error {
	if _, err := w.out.Write(w.separator()); err != nil {
		return err
	}
	w.Shown++
	_, err := w.out.Write(text)
	return err
}

// FlushTail writes the lines of the tail, which is empty then, and what was collected.
func (w *Writer) FlushTail() error {
	for line := range w.Tail.All() {
		if err := w.writeLine(line); err != nil {
			return err
		}
	}
	w.Tail = Ring{Size: w.Tail.Size}
	return w.out.Flush()
}
