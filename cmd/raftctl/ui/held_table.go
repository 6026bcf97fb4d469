package ui

import (
	"bytes"
	"strings"

	"github.com/clipperhouse/displaywidth"
	"github.com/olekukonko/tablewriter"
	blueprint "github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// HeldTable is a table that is small enough to be held: its columns are as wide as their contents.
type HeldTable struct {
	titles []string
	align  []tw.Align
	rows   [][]string
}

// NewHeldTable returns a table with these titles. A title that begins with ">" is that of a column
// aligned to the right.
func NewHeldTable(titles ...string) *HeldTable {
	t := &HeldTable{}
	for _, title := range titles {
		name, right := strings.CutPrefix(title, ">")
		align := tw.AlignLeft
		if right {
			align = tw.AlignRight
		}
		t.titles, t.align = append(t.titles, name), append(t.align, align)
	}
	return t
}

// Add adds a row.
func (t *HeldTable) Add(cells ...string) { t.rows = append(t.rows, cells) }

// Print appends an empty line and the table, or nothing if the table has no rows. Lines are cut at
// the width, unless it is 0.
func (t *HeldTable) Print(b *bytes.Buffer, width int) {
	if len(t.rows) == 0 {
		return
	}
	var text bytes.Buffer
	w := tablewriter.NewTable(&text,
		tablewriter.WithRenderer(blueprint.NewBlueprint(tw.Rendition{
			Borders:  tw.BorderNone,
			Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
		})),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAutoWrap(tw.WrapNone),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithTrimSpace(tw.Off),
		tablewriter.WithHeaderAlignmentConfig(tw.CellAlignment{PerColumn: t.align}),
		tablewriter.WithRowAlignmentConfig(tw.CellAlignment{PerColumn: t.align}),
		tablewriter.WithPadding(tw.Padding{Right: "  ", Overwrite: true}),
	)
	w.Header(t.titles)
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
		if width > 0 && widthOf(line) > width {
			line = displaywidth.TruncateBytes(line, width, []byte(ellipsis))
		}
		b.Write(append(line, '\n'))
	}
}
