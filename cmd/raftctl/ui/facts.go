package ui

import (
	"bytes"
	"fmt"
	"io"
)

// Facts is a short list of names and values, aligned.
type Facts struct {
	w     io.Writer
	width int // of the terminal; 0: there is none
	buf   bytes.Buffer
}

// factWidth is the column where values begin.
const factWidth = 12

// NewFacts returns an empty list that Flush writes to w.
func NewFacts(w io.Writer) *Facts { return &Facts{w: w} }

// Wrap makes values that are longer than what is left of a terminal's width take several lines, and
// returns the list.
func (f *Facts) Wrap(width int) *Facts {
	f.width = width
	return f
}

// Add adds a line; one without a name goes on with the one before.
func (f *Facts) Add(name, format string, args ...any) {
	text := Indented(fmt.Sprintf(format, args...), factWidth, f.width)
	fmt.Fprintf(&f.buf, "%-*s%s", factWidth, name, text[factWidth:])
}

// AddBelow adds lines a little to the right of the values, which say more about the one before.
func (f *Facts) AddBelow(text string) { f.buf.WriteString(Indented(text, factWidth+2, f.width)) }

// AddCommand adds a command line below a value. It is never broken, so that it can be copied.
func (f *Facts) AddCommand(line string) { f.buf.WriteString(Indented(line, factWidth+2, 0)) }

// Flush writes the list.
func (f *Facts) Flush() error {
	_, err := f.w.Write(f.buf.Bytes())
	f.buf.Reset()
	return err
}
