package ui

import (
	"bytes"
	"fmt"
	"io"
)

// Facts is a short list of names and values, aligned.
type Facts struct {
	w   io.Writer
	buf bytes.Buffer
}

// factWidth is the column where values begin.
const factWidth = 12

// NewFacts returns an empty list that Flush writes to w.
func NewFacts(w io.Writer) *Facts { return &Facts{w: w} }

// Add adds a line; one without a name goes on with the one before.
func (f *Facts) Add(name, format string, args ...any) {
	fmt.Fprintf(&f.buf, "%-*s%s\n", factWidth, name, fmt.Sprintf(format, args...))
}

// Flush writes the list.
func (f *Facts) Flush() error {
	_, err := f.w.Write(f.buf.Bytes())
	f.buf.Reset()
	return err
}
