package main

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/clipperhouse/displaywidth"
)

// column is one column of a streamed table.
type column struct {
	title string
	width int  // columns of the terminal; content that is wider pushes the rest of its row
	right bool // aligned to the right
}

// streamTable lays out rows one by one, in constant memory. tablewriter can stream too, but needs
// 15 µs and 150 allocations a row, which is half a minute on a log of two million entries.
//
// A row is one call for each column, and then end.
type streamTable struct {
	columns []column
	width   int // of a line; 0: lines are not cut
	buf     []byte
	col     int // the next cell's column
	used    int // columns of the terminal that the row takes so far
}

const columnGap = 2

func newStreamTable(width int, columns ...column) *streamTable {
	return &streamTable{width: width, columns: columns}
}

// header returns the line of titles.
func (t *streamTable) header() []byte {
	for _, c := range t.columns {
		t.text(c.title)
	}
	return t.end()
}

func (t *streamTable) text(s string) {
	w := displaywidth.String(s)
	t.buf = append(t.begin(w), s...)
	t.finish(w)
}

func (t *streamTable) uint(n uint64) {
	var digits [20]byte
	t.bytes(strconv.AppendUint(digits[:0], n, 10))
}

// crc writes a checksum.
func (t *streamTable) crc(crc uint32) {
	var b [8]byte
	t.bytes(appendCRC(b[:0], crc))
}

// size writes a number of bytes for people.
func (t *streamTable) size(n int64) {
	var b [16]byte
	t.bytes(appendSize(b[:0], n))
}

func (t *streamTable) bytes(b []byte) {
	w := widthOf(b)
	t.buf = append(t.begin(w), b...)
	t.finish(w)
}

// begin pads up to where a cell of width w begins.
func (t *streamTable) begin(w int) []byte {
	if t.col > 0 {
		t.pad(columnGap)
	}
	if c := t.columns[t.col]; c.right {
		t.pad(c.width - w)
	}
	return t.buf
}

// finish pads a cell of width w to its column's width, unless it is the last.
func (t *streamTable) finish(w int) {
	t.used += w
	if c := t.columns[t.col]; !c.right && t.col < len(t.columns)-1 {
		t.pad(c.width - w)
	}
	t.col++
}

func (t *streamTable) pad(n int) {
	for range max(n, 0) {
		t.buf = append(t.buf, ' ')
	}
	t.used += max(n, 0)
}

// end returns the row as a line, which is valid until the next row begins.
func (t *streamTable) end() []byte {
	line := t.buf
	if t.width > 0 && t.used > t.width {
		line = displaywidth.TruncateBytes(line, t.width, []byte(ellipsis))
	}
	line = append(bytes.TrimRight(line, " "), '\n')
	t.buf, t.col, t.used = t.buf[:0], 0, 0
	return line
}

// widthOf returns the columns that text takes on a terminal.
func widthOf(b []byte) int {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return displaywidth.Bytes(b)
		}
	}
	return len(b)
}

const ellipsis = "…"

// appendSize appends a number of bytes as people read it: 17 B, 1.2 KiB, 61.0 MiB.
func appendSize(b []byte, n int64) []byte {
	const units = "KMGTPE"
	if n < 1024 {
		return append(strconv.AppendInt(b, n, 10), " B"...)
	}
	v, unit := float64(n)/1024, 0
	for v >= 1023.95 && unit < len(units)-1 { // 1023.95 would be printed as 1024.0
		v, unit = v/1024, unit+1
	}
	b = strconv.AppendFloat(b, v, 'f', 1, 64)
	return append(b, ' ', units[unit], 'i', 'B')
}

func formatSize(n int64) string { return string(appendSize(nil, n)) }
