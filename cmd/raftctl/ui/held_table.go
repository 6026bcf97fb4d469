package ui

import (
	"bytes"
	"io"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
	blueprint "github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// HeldTable is a table that is small enough to be held: its columns are as wide as their contents.
type HeldTable struct {
	columns []Column
	rows    [][]string
}

// NewHeldTable returns a table of these columns.
func NewHeldTable(columns ...Column) *HeldTable { return &HeldTable{columns: columns} }

// Add adds a row.
func (t *HeldTable) Add(cells ...string) { t.rows = append(t.rows, cells) }

// Print appends an empty line and the table, or nothing if the table has no rows.
func (t *HeldTable) Print(b *bytes.Buffer, s Screen) {
	if len(t.rows) == 0 {
		return
	}
	var text bytes.Buffer
	w := newTablewriter(&text, t.columns)
	titles := make([]string, len(t.columns))
	for i, c := range t.columns {
		titles[i] = c.Title
	}
	w.Header(titles)
	for _, row := range t.rows {
		for i, cell := range row {
			row[i] = string(s.fitting([]byte(cell)))
		}
	}
	err := w.Bulk(t.rows)
	if err == nil {
		err = w.Render()
	}
	if err != nil {
		panic(err) // a buffer takes everything: our own bug
	}
	b.WriteByte('\n')
	for line := range bytes.Lines(text.Bytes()) {
		line = bytes.TrimRight(line, " \n")
		b.Write(s.appendLine(nil, line, len(line)))
	}
}

// newTablewriter returns a table without lines. What it takes for the width of a character would
// depend on the locale; the rule of package display doesn't.
func newTablewriter(out io.Writer, columns []Column) *tablewriter.Table {
	twwidth.SetEastAsian(false)
	align := make([]tw.Align, len(columns))
	for i, c := range columns {
		align[i] = tw.AlignLeft
		if c.Right {
			align[i] = tw.AlignRight
		}
	}
	return tablewriter.NewTable(out,
		tablewriter.WithRenderer(blueprint.NewBlueprint(tw.Rendition{
			Borders:  tw.BorderNone,
			Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
		})),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAutoWrap(tw.WrapNone),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithTrimSpace(tw.Off),
		tablewriter.WithHeaderAlignmentConfig(tw.CellAlignment{PerColumn: align}),
		tablewriter.WithRowAlignmentConfig(tw.CellAlignment{PerColumn: align}),
		tablewriter.WithPadding(tw.Padding{Right: "  ", Overwrite: true}),
	)
}
