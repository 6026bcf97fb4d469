package walcmd

import (
	"bytes"
	"encoding/hex"
	"math"
	"strconv"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/cmd/raftctl/where"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// tableRenderer writes a row a record.
type tableRenderer struct {
	name  string
	table *ui.StreamTable
	cells func(t *ui.StreamTable, r *where.Row) // all but the last column
	color bool
	text  []byte
}

// newLogicalTable returns the table of the logical view. Its columns are as wide as the numbers of
// the log need.
func newLogicalTable(a *ui.App, name string, view *wal.View) *tableRenderer {
	index, term := uint64(math.MaxUint32), uint64(math.MaxUint16)
	if view != nil {
		index, term = view.LastIndex(), max(view.State.Term, view.Last.Term)
	}
	t := ui.NewStreamTable(a.Screen(), ui.NumberColumn("INDEX").UpTo(index), ui.NumberColumn("TERM").UpTo(term),
		ui.SizeColumn("SIZE"), ui.TextColumn("SUMMARY"))
	return &tableRenderer{name: name, table: t, cells: logicalCells, color: a.Color}
}

func logicalCells(t *ui.StreamTable, r *where.Row) {
	positionCells(t, r)
	if r.Rec.Kind == wal.KindEntry && r.Bad == nil {
		t.Size(int64(len(r.Entry.Data)))
	} else {
		t.Text("")
	}
}

// positionCells writes index and term.
func positionCells(t *ui.StreamTable, r *where.Row) {
	if index, ok := r.Index(); ok {
		t.Uint(index)
	} else {
		t.Text("")
	}
	if term, ok := r.Term(); ok {
		t.Uint(term)
	} else {
		t.Text("")
	}
}

// newPhysicalTable returns the table of all records as they lie.
func newPhysicalTable(a *ui.App, name string, log *wal.Log) *tableRenderer {
	var seq, size uint64
	for _, s := range log.Segments() {
		seq, size = max(seq, s.Name.Seq), max(size, uint64(s.Size))
	}
	t := ui.NewStreamTable(a.Screen(), ui.NumberColumn("SEG").UpTo(seq), ui.NumberColumn("OFFSET").UpTo(size),
		ui.NumberColumn("LENGTH").UpTo(9_999_999), ui.NumberColumn("PAD").UpTo(7), ui.TextColumn("CRC").Wide(8),
		ui.TextColumn("KIND").Wide(8), ui.NumberColumn("INDEX").UpTo(99_999_999), ui.NumberColumn("TERM").UpTo(9999),
		ui.TextColumn("SUMMARY"))
	return &tableRenderer{name: name, table: t, cells: physicalCells, color: a.Color}
}

func physicalCells(t *ui.StreamTable, r *where.Row) {
	name, _ := wal.ParseSegmentName(r.Rec.Pos.Segment)
	t.Uint(name.Seq)
	t.Uint(uint64(r.Rec.Pos.Off))
	t.Uint(uint64(r.Rec.Len))
	if r.Rec.Kind == wal.KindDamage {
		t.Text("")
		t.Text("")
	} else {
		t.Uint(uint64(r.Rec.Pad))
		t.CRC(r.Rec.CRC)
	}
	t.Text(r.Rec.Kind.String())
	positionCells(t, r)
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

func (x *tableRenderer) separator(int) []byte { return nil }
func (x *tableRenderer) finish(int) []byte    { return nil }

func (x *tableRenderer) line(dst []byte, r *where.Row) []byte {
	x.cells(x.table, r)
	x.text = x.text[:0]
	if r.Rec.Kind != wal.KindEntry && !r.Physical { // has a column for the kind
		x.text = append(append(x.text, r.Rec.Kind.String()...), ' ')
	}
	x.text = appendLine(x.text, r)
	x.table.Bytes(x.text)
	line := x.table.End()
	if x.color && r.Rec.Kind == wal.KindDamage {
		const red, plain = "\x1b[31m", "\x1b[0m"
		return append(append(append(dst, red...), line[:len(line)-1]...), plain+"\n"...)
	}
	return append(dst, line...)
}

// appendLine appends what the table says of a record in its last column.
func appendLine(b []byte, r *where.Row) []byte {
	if r.Bad != nil {
		return append(append(b, "can't be decoded: "...), r.Bad.Error()...)
	}
	switch r.Rec.Kind {
	case wal.KindEntry:
		b = appendEntryLine(b, r)
		if !r.Live {
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
		b = append(append(b, r.Rec.Damage.Class...), ": "...)
		b = append(b, r.Rec.Damage.Evidence...)
	}
	return b
}

func appendEntryLine(b []byte, r *where.Row) []byte {
	if data, ok := r.RawData(); ok {
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
