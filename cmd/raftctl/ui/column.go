package ui

import (
	"bytes"

	"github.com/raftctl/raftctl/internal/display"
)

// Column is one column of a table. A held table is as wide as its contents, whatever Width says.
type Column struct {
	Title string
	Width int  // columns of the terminal; content that is wider pushes the rest of its row
	Right bool // aligned to the right
}

// The kinds of columns.

// TextColumn returns a column of text.
func TextColumn(title string) Column { return Column{Title: title, Width: display.Width(title)} }

// NumberColumn returns a column of numbers.
func NumberColumn(title string) Column {
	c := TextColumn(title)
	c.Right = true
	return c
}

// SizeColumn returns a column of sizes as people read them.
func SizeColumn(title string) Column { return NumberColumn(title).Wide(sizeWidth) }

// Wide returns the column, wide enough for contents of width columns.
func (c Column) Wide(width int) Column {
	c.Width = max(c.Width, width)
	return c
}

// UpTo returns the column, wide enough for numbers up to largest.
func (c Column) UpTo(largest uint64) Column { return c.Wide(Digits(largest)) }

// sizeWidth is what the longest size takes: 1023.9 KiB.
const sizeWidth = 10

// appendLine appends a row as a line that the screen can show. Columns are what the row takes, or
// more.
func (s *Screen) appendLine(dst, row []byte, columns int) []byte {
	if s.Width > 0 && columns > s.Width {
		ellipsis := display.Ellipsis
		if s.ASCII {
			ellipsis = display.ASCIIEllipsis
		}
		row = display.Cut(row, s.Width, ellipsis)
	}
	return append(append(dst, bytes.TrimRight(row, " ")...), '\n')
}

// fitting returns text as the screen can show it. It is text itself in most cases, and else valid
// until the next call.
func (s *Screen) fitting(text []byte) []byte {
	if !s.ASCII {
		return text
	}
	s.text = display.AppendASCII(s.text[:0], text)
	return s.text
}
