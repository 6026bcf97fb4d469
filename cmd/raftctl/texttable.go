package main

import (
	"bytes"
	"strings"

	"github.com/clipperhouse/displaywidth"
)

// textTable is a table that is small enough to be held: its columns are as wide as their contents.
type textTable struct {
	columns []column
	rows    [][]string
}

// newTextTable returns a table with these titles. A title that begins with ">" is that of a column
// aligned to the right.
func newTextTable(titles ...string) *textTable {
	t := &textTable{}
	for _, title := range titles {
		name, right := strings.CutPrefix(title, ">")
		t.columns = append(t.columns, column{title: name, width: displaywidth.String(name), right: right})
	}
	return t
}

func (t *textTable) add(cells ...string) {
	for i, c := range cells {
		t.columns[i].width = max(t.columns[i].width, displaywidth.String(c))
	}
	t.rows = append(t.rows, cells)
}

// print appends an empty line and the table, or nothing if the table has no rows.
func (t *textTable) print(b *bytes.Buffer, width int) {
	if len(t.rows) == 0 {
		return
	}
	s := newStreamTable(width, t.columns...)
	b.WriteByte('\n')
	b.Write(s.header())
	for _, row := range t.rows {
		for _, cell := range row {
			s.text(cell)
		}
		b.Write(s.end())
	}
}
