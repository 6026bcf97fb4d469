package ui

import (
	"bytes"
	"strconv"

	"github.com/clipperhouse/displaywidth"

	"github.com/raftctl/raftctl/internal/jsontext"
)

// Column is one column of a streamed table.
type Column struct {
	Title string
	Width int  // columns of the terminal; content that is wider pushes the rest of its row
	Right bool // aligned to the right
}

// StreamTable lays out rows one by one, in constant memory. tablewriter can stream too, but needs
// 15 µs and 150 allocations a row, which is half a minute on a log of two million entries.
//
// A row is one call for each column, and then End.
type StreamTable struct {
	columns []Column
	width   int // of a line; 0: lines are not cut
	buf     []byte
	col     int // the next cell's column
	used    int // columns of the terminal that the row takes so far
}

const columnGap = 2

// NewStreamTable returns a table whose lines are cut at the width; 0: they are not.
func NewStreamTable(width int, columns ...Column) *StreamTable {
	return &StreamTable{width: width, columns: columns}
}

// Header returns the line of titles.
func (t *StreamTable) Header() []byte {
	for _, c := range t.columns {
		t.Text(c.Title)
	}
	return t.End()
}

// Text writes a cell.
func (t *StreamTable) Text(s string) {
	w := displaywidth.String(s)
	t.buf = append(t.begin(w), s...)
	t.finish(w)
}

// Uint writes a number.
func (t *StreamTable) Uint(n uint64) {
	var digits [20]byte
	t.Bytes(strconv.AppendUint(digits[:0], n, 10))
}

// CRC writes a checksum.
func (t *StreamTable) CRC(crc uint32) {
	var b [8]byte
	t.Bytes(jsontext.AppendHex(b[:0], uint64(crc), 8))
}

// Size writes a number of bytes for people.
func (t *StreamTable) Size(n int64) {
	var b [16]byte
	t.Bytes(AppendSize(b[:0], n))
}

// Bytes writes a cell.
func (t *StreamTable) Bytes(b []byte) {
	w := widthOf(b)
	t.buf = append(t.begin(w), b...)
	t.finish(w)
}

// begin pads up to where a cell of width w begins.
func (t *StreamTable) begin(w int) []byte {
	if t.col > 0 {
		t.pad(columnGap)
	}
	if c := t.columns[t.col]; c.Right {
		t.pad(c.Width - w)
	}
	return t.buf
}

// finish pads a cell of width w to its column's width, unless it is the last.
func (t *StreamTable) finish(w int) {
	t.used += w
	if c := t.columns[t.col]; !c.Right && t.col < len(t.columns)-1 {
		t.pad(c.Width - w)
	}
	t.col++
}

func (t *StreamTable) pad(n int) {
	for range max(n, 0) {
		t.buf = append(t.buf, ' ')
	}
	t.used += max(n, 0)
}

// End returns the row as a line, which is valid until the next row begins.
func (t *StreamTable) End() []byte {
	line := t.buf
	if t.width > 0 && t.used > t.width {
		line = displaywidth.TruncateBytes(line, t.width, []byte(ellipsis))
	}
	line = append(bytes.TrimRight(line, " "), '\n')
	t.buf, t.col, t.used = t.buf[:0], 0, 0
	return line
}
