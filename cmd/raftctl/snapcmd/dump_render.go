package snapcmd

import (
	"bytes"
	"strconv"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/cmd/raftctl/where/keyrow"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/internal/display"
)

// renderer turns rows into output.
type renderer interface {
	start() []byte                         // before the rows
	line(dst []byte, r *keyrow.Row) []byte // appended
	finish(shown int) []byte               // after them
}

func (d *dumper) newRenderer() renderer {
	if frame := d.o.output.Frame(); frame != nil {
		return jsonRenderer{frame}
	}
	o := d.o
	var columns []dumpColumn
	switch {
	case o.bucket != "" && o.bucket != keyBucket:
		columns = []dumpColumn{sizeColumn}
	case o.history != "", o.bucket != "", o.scan:
		columns = []dumpColumn{revisionColumn, versionColumn, leaseColumn, sizeColumn}
	default:
		columns = []dumpColumn{modColumn, versionColumn, leaseColumn, sizeColumn}
	}
	return newTableRenderer(d.a, columns)
}

// jsonRenderer writes an object a row.
type jsonRenderer struct{ frame *ui.Frame }

func (j jsonRenderer) start() []byte { return nil }

func (j jsonRenderer) line(dst []byte, r *keyrow.Row) []byte {
	return append(r.AppendJSON(dst), j.frame.End...)
}

func (j jsonRenderer) finish(shown int) []byte { return j.frame.After(shown) }

// dumpColumn is a column of dump's table, and what it shows of a row.
type dumpColumn struct {
	ui.Column
	cell func(t *ui.StreamTable, r *keyrow.Row)
}

// unlessDeleted returns a cell that deletions leave empty.
func unlessDeleted(cell func(*ui.StreamTable, *keyrow.Row)) func(*ui.StreamTable, *keyrow.Row) {
	return func(t *ui.StreamTable, r *keyrow.Row) {
		if r.Deleted {
			t.Text("")
			return
		}
		cell(t, r)
	}
}

const (
	usualRevision = 9_999_999
	usualVersion  = 9_999
)

var (
	modColumn = dumpColumn{ui.NumberColumn("REVISION").UpTo(usualRevision),
		func(t *ui.StreamTable, r *keyrow.Row) { t.Uint(uint64(r.ModRevision)) }}
	revisionColumn = dumpColumn{ui.NumberColumn("REVISION").UpTo(usualRevision),
		func(t *ui.StreamTable, r *keyrow.Row) {
			if r.Revision.Sub == 0 {
				t.Uint(uint64(r.Revision.Main))
				return
			}
			t.Text(r.Revision.String())
		}}
	versionColumn = dumpColumn{ui.NumberColumn("VERSION").UpTo(usualVersion),
		unlessDeleted(func(t *ui.StreamTable, r *keyrow.Row) { t.Uint(uint64(r.Version)) })}
	leaseColumn = dumpColumn{ui.TextColumn("LEASE").Wide(len("694d8f1b8e8e5a05")),
		func(t *ui.StreamTable, r *keyrow.Row) {
			if r.Lease == 0 {
				t.Text("-")
				return
			}
			t.Text(strconv.FormatUint(uint64(r.Lease), 16))
		}}
	sizeColumn = dumpColumn{ui.SizeColumn("SIZE"),
		unlessDeleted(func(t *ui.StreamTable, r *keyrow.Row) { t.Size(int64(len(r.Value))) })}
)

// keyWidth is how wide the column of keys is; longer ones push the value away.
const keyWidth = 24

// tableRenderer writes a line a row.
type tableRenderer struct {
	table   *ui.StreamTable
	columns []dumpColumn // all but the last two, which are key and value
	text    []byte
}

func newTableRenderer(a *ui.App, columns []dumpColumn) *tableRenderer {
	var all []ui.Column
	for _, c := range columns {
		all = append(all, c.Column)
	}
	all = append(all, ui.TextColumn("KEY").Wide(keyWidth), ui.TextColumn("VALUE"))
	return &tableRenderer{table: ui.NewStreamTable(a.Screen(), all...), columns: columns}
}

func (x *tableRenderer) start() []byte     { return x.table.Header() }
func (x *tableRenderer) finish(int) []byte { return nil }

func (x *tableRenderer) line(dst []byte, r *keyrow.Row) []byte {
	for _, c := range x.columns {
		c.cell(x.table, r)
	}
	x.text = decode.AppendKey(x.text[:0], r.Key)
	x.table.Bytes(x.text)
	x.text = x.text[:0]
	switch {
	case r.Deleted:
		x.text = append(x.text, "deleted"...)
	default:
		x.text = decode.AppendValue(x.text, r.Key, r.Value, &r.Style)
		size := display.FormatSize(int64(len(r.Value))) // has a column
		x.text = bytes.TrimPrefix(bytes.TrimPrefix(x.text, []byte(size)), []byte(" "))
	}
	if r.Unproven {
		x.text = append(x.text, " (may have been compacted away)"...)
	}
	x.table.Bytes(x.text)
	return append(dst, x.table.End()...)
}
