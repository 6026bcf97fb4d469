package main

import (
	"bytes"
	"fmt"
	"io"
)

// facts is a short list of names and values, aligned.
type facts struct {
	w   io.Writer
	buf bytes.Buffer
}

// factWidth is the column where values begin.
const factWidth = 12

func newFacts(w io.Writer) *facts { return &facts{w: w} }

// add adds a line; one without a name goes on with the one before.
func (f *facts) add(name, format string, args ...any) {
	fmt.Fprintf(&f.buf, "%-*s%s\n", factWidth, name, fmt.Sprintf(format, args...))
}

func (f *facts) flush() error {
	_, err := f.w.Write(f.buf.Bytes())
	f.buf.Reset()
	return err
}
