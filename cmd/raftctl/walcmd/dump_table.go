package walcmd

import (
	"bytes"
	"encoding/hex"
	"math"
	"strconv"

	"github.com/raftctl/raftctl/cmd/raftctl/rows"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/cmd/raftctl/where/logrow"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// tableRenderer writes a row a record.
type tableRenderer struct {
	name    string
	table   *ui.StreamTable
	columns []dumpColumn // all but the last, which is the summary
	color   bool
	width   int // of the terminal; 0: there is none
	text    []byte
}

// dumpColumn is a column of dump's table, and what it shows of a record.
type dumpColumn struct {
	ui.Column
	cell func(t *ui.StreamTable, r *logrow.Row)
}

func newTableRenderer(a *ui.App, name string, columns []dumpColumn) *tableRenderer {
	var all []ui.Column
	for _, c := range columns {
		all = append(all, c.Column)
	}
	all = append(all, ui.TextColumn("SUMMARY"))
	return &tableRenderer{name: name, table: ui.NewStreamTable(a.Screen(), all...), columns: columns, color: a.Color, width: a.Width}
}

// logicalColumns are those of the logical view, as wide as the numbers of the log need.
func logicalColumns(view *wal.View) []dumpColumn {
	index, term := uint64(math.MaxUint32), uint64(math.MaxUint16)
	if view != nil {
		index, term = view.LastIndex(), max(view.State.Term, view.Last.Term)
	}
	return []dumpColumn{
		{ui.NumberColumn("INDEX").UpTo(index), indexCell},
		{ui.NumberColumn("TERM").UpTo(term), termCell},
		{ui.SizeColumn("SIZE"), sizeCell},
	}
}

// physicalColumns are those of the records as they lie.
func physicalColumns(log *wal.Log) []dumpColumn {
	var seq, size uint64
	for _, s := range log.Segments() {
		seq, size = max(seq, s.Name.Seq), max(size, uint64(s.Size))
	}
	return []dumpColumn{
		{ui.NumberColumn("SEG").UpTo(seq), func(t *ui.StreamTable, r *logrow.Row) {
			name, _ := wal.ParseSegmentName(r.Rec.Pos.Segment)
			t.Uint(name.Seq)
		}},
		{ui.NumberColumn("OFFSET").UpTo(size), func(t *ui.StreamTable, r *logrow.Row) { t.Uint(uint64(r.Place())) }},
		{ui.NumberColumn("LENGTH").UpTo(9_999_999), func(t *ui.StreamTable, r *logrow.Row) { t.Uint(uint64(r.Rec.Len)) }},
		{ui.NumberColumn("PAD").UpTo(7), unlessDamage(func(t *ui.StreamTable, r *logrow.Row) { t.Uint(uint64(r.Rec.Pad)) })},
		{ui.TextColumn("CRC").Wide(8), unlessDamage(func(t *ui.StreamTable, r *logrow.Row) { t.CRC(r.Rec.CRC) })},
		{ui.TextColumn("KIND").Wide(8), func(t *ui.StreamTable, r *logrow.Row) { t.Text(r.Rec.Kind.String()) }},
		{ui.NumberColumn("INDEX").UpTo(99_999_999), indexCell},
		{ui.NumberColumn("TERM").UpTo(9999), termCell},
	}
}

func indexCell(t *ui.StreamTable, r *logrow.Row) {
	if index, ok := r.Index(); ok {
		t.Uint(index)
	} else {
		t.Text("")
	}
}

func termCell(t *ui.StreamTable, r *logrow.Row) {
	if term, ok := r.Term(); ok {
		t.Uint(term)
	} else {
		t.Text("")
	}
}

func sizeCell(t *ui.StreamTable, r *logrow.Row) {
	if r.Rec.Kind == wal.KindEntry && r.Bad == nil {
		t.Size(int64(len(r.Entry.Data)))
	} else {
		t.Text("")
	}
}

// unlessDamage returns a cell that damage leaves empty.
func unlessDamage(cell func(*ui.StreamTable, *logrow.Row)) func(*ui.StreamTable, *logrow.Row) {
	return func(t *ui.StreamTable, r *logrow.Row) {
		if r.Rec.Kind == wal.KindDamage {
			t.Text("")
			return
		}
		cell(t, r)
	}
}

// whoColumn is that of --who.
func whoColumn() dumpColumn {
	const name = len("8e9e05c52164694d infra1 since 2026-11-21T00:24:26Z")
	return dumpColumn{ui.TextColumn("PROPOSED BY").Wide(name), func(t *ui.StreamTable, r *logrow.Row) {
		t.Bytes(r.AppendWho(nil))
	}}
}

// timeColumn is that of --time.
func timeColumn() dumpColumn {
	const bounds = len("2026-11-21 00:24:26Z or before")
	return dumpColumn{ui.TextColumn("TIME").Wide(bounds), func(t *ui.StreamTable, r *logrow.Row) {
		t.Bytes(r.AppendTime(nil))
	}}
}

func (x *tableRenderer) start(shown int) []byte {
	var b []byte
	if x.name != "" {
		if shown > 0 {
			b = append(b, '\n')
		}
		b = append(b, x.name...)
		b = append(b, '\n')
	}
	return append(b, x.table.Header()...)
}

func (x *tableRenderer) finish(int) []byte { return nil }

func (x *tableRenderer) line(dst []byte, r *logrow.Row) []byte {
	for _, c := range x.columns {
		c.cell(x.table, r)
	}
	if data, ok := largeRaw(r); ok && x.width == 0 {
		x.table.Text("?")
		line := x.table.End()
		dst = hex.AppendEncode(append(dst, line[:len(line)-len("?\n")]...), data)
		return append(dst, '\n')
	}
	x.text = x.text[:0]
	if (r.Rec.Kind != wal.KindEntry || r.Bad != nil) && !r.Physical { // has a column for the kind
		x.text = append(append(x.text, r.Rec.Kind.String()...), ' ')
	}
	x.text = appendLine(x.text, r, x.width)
	if r.Foreign {
		x.text = append(x.text, " (of another log)"...)
	}
	if r.Rec.Unchecked {
		x.text = append(x.text, " (unchecked)"...)
	}
	x.table.Bytes(x.text)
	line := x.table.End()
	if x.color && r.Rec.Kind == wal.KindDamage {
		return append(ui.Red.Append(dst, line[:len(line)-1]), '\n')
	}
	return append(dst, line...)
}

// largeRaw returns the data of an entry that is shown as bytes, if it is too large to be held more
// than once.
func largeRaw(r *logrow.Row) (data []byte, ok bool) {
	if !r.Raw || r.Rec.Kind != wal.KindEntry || r.Bad != nil || len(r.Entry.Data) < rows.Large {
		return nil, false
	}
	return r.RawData()
}

// appendLine appends what the table says of a record in its last column, of which width columns are
// seen at most; 0 is no limit.
func appendLine(b []byte, r *logrow.Row, width int) []byte {
	if r.Bad != nil {
		return append(append(b, "can't be decoded: "...), r.Bad.Error()...)
	}
	switch r.Rec.Kind {
	case wal.KindEntry:
		b = appendEntryLine(b, r, width)
		if !r.Live && !r.Foreign {
			b = append(b, " (overwritten later)"...)
		}
	case wal.KindState:
		b = strconv.AppendUint(append(b, "commit "...), r.State.Commit, 10)
		b = appendID(append(b, ", vote "...), r.State.Vote)
	case wal.KindSnapshot:
		if r.Snapshot.Index == 0 {
			return append(b, "of the empty state"...)
		}
		if r.Snapshot.ConfState == nil { // etcd 3.4
			return append(bytes.TrimRight(b, " "), ", members not recorded"...)
		}
		b = appendMembers(b, r.Snapshot.ConfState)
	case wal.KindMetadata:
		b = appendID(append(b, "member "...), r.Metadata.NodeID)
		b = appendID(append(b, " of cluster "...), r.Metadata.ClusterID)
	case wal.KindDamage:
		d := r.Rec.Damage
		b = append(append(b, d.Class...), ": "...)
		if !r.Physical { // has columns for the place
			b = append(append(b, d.Pos.String()...), ": "...)
		}
		b = append(b, d.Evidence...)
	}
	return b
}

func appendEntryLine(b []byte, r *logrow.Row, width int) []byte {
	if data, ok := r.RawData(); ok {
		if width > 0 { // more than fits
			data = data[:min(len(data), width)]
		}
		return hex.AppendEncode(b, data)
	}
	return r.Request().AppendSummary(b, r.Style)
}

// appendMembers says who is in a configuration.
func appendMembers(b []byte, c *raftpb.ConfState) []byte {
	sep := ""
	for _, list := range []struct {
		name string
		ids  []uint64
	}{
		{"voters", c.Voters}, {"learners", c.Learners},
		{"outgoing voters", c.VotersOutgoing}, {"next learners", c.LearnersNext},
	} {
		if len(list.ids) == 0 {
			continue
		}
		b = append(append(b, sep...), list.name...)
		sep = ", "
		for _, id := range list.ids {
			b = appendID(append(b, ' '), id)
		}
	}
	return b
}

// appendID appends an ID as etcd prints it.
func appendID(b []byte, id uint64) []byte { return strconv.AppendUint(b, id, 16) }
