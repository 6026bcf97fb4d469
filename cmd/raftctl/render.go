package main

import (
	"encoding/hex"
	"math"
	"strconv"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// renderer turns records into output.
type renderer interface {
	start(shown int) []byte         // before a log's records, shown of earlier logs
	separator(shown int) []byte     // before a line
	line(dst []byte, r *row) []byte // appended
	finish(shown int) []byte        // after the last log
}

func (d *dumper) newRenderer() renderer {
	switch {
	case d.o.output != outputTable:
		return &jsonRenderer{name: d.name, array: d.o.output == outputJSON}
	case d.o.physical:
		return newPhysicalTable(d.a, d.name, d.log)
	}
	return newLogicalTable(d.a, d.name, d.view)
}

// jsonRenderer writes an object a line, within an array if need be.
type jsonRenderer struct {
	name  string // of the log, where there are several
	array bool
}

func (j *jsonRenderer) start(int) []byte { return nil }

func (j *jsonRenderer) separator(shown int) []byte {
	switch {
	case !j.array:
		return nil
	case shown == 0:
		return []byte("[\n")
	}
	return []byte(",\n")
}

func (j *jsonRenderer) line(dst []byte, r *row) []byte {
	dst = r.appendJSON(dst)
	if j.name != "" {
		dst = appendStringField(dst[:len(dst)-1], "path", j.name)
		dst = append(dst, '}')
	}
	if !j.array {
		dst = append(dst, '\n')
	}
	return dst
}

func (j *jsonRenderer) finish(shown int) []byte {
	switch {
	case !j.array:
		return nil
	case shown == 0:
		return []byte("[]\n")
	}
	return []byte("\n]\n")
}

// tableRenderer writes a row a record.
type tableRenderer struct {
	name  string
	table *streamTable
	cells func(t *streamTable, r *row) // all but the last column
	color bool
	text  []byte
}

// newLogicalTable returns the table of the logical view. Its columns are as wide as the numbers of
// the log need.
func newLogicalTable(a *app, name string, view *wal.View) *tableRenderer {
	index, term := uint64(math.MaxUint32), uint64(math.MaxUint16)
	if view != nil {
		index, term = view.LastIndex(), max(view.State.Term, view.Last.Term)
	}
	t := newStreamTable(a.width,
		column{title: "INDEX", width: max(5, digits(index)), right: true},
		column{title: "TERM", width: max(4, digits(term)), right: true},
		column{title: "SIZE", width: sizeWidth, right: true},
		column{title: "SUMMARY"})
	return &tableRenderer{name: name, table: t, cells: logicalCells, color: a.color}
}

// sizeWidth is what the longest size takes: 1023.9 KiB.
const sizeWidth = 10

func logicalCells(t *streamTable, r *row) {
	positionCells(t, r)
	if r.rec.Kind == wal.KindEntry && r.bad == nil {
		t.size(int64(len(r.entry.Data)))
	} else {
		t.text("")
	}
}

// positionCells writes index and term.
func positionCells(t *streamTable, r *row) {
	if index, ok := r.index(); ok {
		t.uint(index)
	} else {
		t.text("")
	}
	if term, ok := r.term(); ok {
		t.uint(term)
	} else {
		t.text("")
	}
}

// newPhysicalTable returns the table of all records as they lie.
func newPhysicalTable(a *app, name string, log *wal.Log) *tableRenderer {
	var seq, size uint64
	for _, s := range log.Segments() {
		seq, size = max(seq, s.Name.Seq), max(size, uint64(s.Size))
	}
	t := newStreamTable(a.width,
		column{title: "SEG", width: max(3, digits(seq)), right: true},
		column{title: "OFFSET", width: max(6, digits(size)), right: true},
		column{title: "LENGTH", width: 7, right: true},
		column{title: "PAD", width: 3, right: true},
		column{title: "CRC", width: 8},
		column{title: "KIND", width: 8},
		column{title: "INDEX", width: 8, right: true},
		column{title: "TERM", width: 4, right: true},
		column{title: "SUMMARY"})
	return &tableRenderer{name: name, table: t, cells: physicalCells, color: a.color}
}

func physicalCells(t *streamTable, r *row) {
	name, _ := wal.ParseSegmentName(r.rec.Pos.Segment)
	t.uint(name.Seq)
	t.uint(uint64(r.rec.Pos.Off))
	t.uint(uint64(r.rec.Len))
	if r.rec.Kind == wal.KindDamage {
		t.text("")
		t.text("")
	} else {
		t.uint(uint64(r.rec.Pad))
		t.crc(r.rec.CRC)
	}
	t.text(r.rec.Kind.String())
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
	return append(b, x.table.header()...)
}

func (x *tableRenderer) separator(int) []byte { return nil }
func (x *tableRenderer) finish(int) []byte    { return nil }

func (x *tableRenderer) line(dst []byte, r *row) []byte {
	x.cells(x.table, r)
	x.text = x.text[:0]
	if r.rec.Kind != wal.KindEntry && !r.physical { // has a column for the kind
		x.text = append(append(x.text, r.rec.Kind.String()...), ' ')
	}
	x.text = r.appendLine(x.text)
	x.table.bytes(x.text)
	line := x.table.end()
	if x.color && r.rec.Kind == wal.KindDamage {
		const red, plain = "\x1b[31m", "\x1b[0m"
		return append(append(append(dst, red...), line[:len(line)-1]...), plain+"\n"...)
	}
	return append(dst, line...)
}

// appendLine appends what the table says of a record in its last column.
func (r *row) appendLine(b []byte) []byte {
	if r.bad != nil {
		return append(append(b, "can't be decoded: "...), r.bad.Error()...)
	}
	switch r.rec.Kind {
	case wal.KindEntry:
		b = r.appendEntryLine(b)
		if !r.live {
			b = append(b, " (overwritten later)"...)
		}
	case wal.KindState:
		b = strconv.AppendUint(append(b, "commit "...), r.state.Commit, 10)
		b = appendID(append(b, ", vote "...), r.state.Vote)
	case wal.KindSnapshot:
		if r.snapshot.Index == 0 {
			return append(b, "of the empty state"...)
		}
		b = appendMembers(b, r.snapshot.ConfState)
	case wal.KindMetadata:
		b = appendID(append(b, "member "...), r.metadata.NodeID)
		b = appendID(append(b, " of cluster "...), r.metadata.ClusterID)
	case wal.KindDamage:
		b = append(append(b, r.rec.Damage.Class...), ": "...)
		b = append(b, r.rec.Damage.Evidence...)
	}
	return b
}

func (r *row) appendEntryLine(b []byte) []byte {
	if data, ok := r.rawData(); ok {
		return hex.AppendEncode(b, data)
	}
	return r.request().AppendSummary(b, r.style)
}

// appendMembers says who is in a configuration.
func appendMembers(b []byte, c *raftpb.ConfState) []byte {
	if c == nil {
		return b
	}
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
		if len(b) > 0 {
			b = append(b, ", "...)
		}
		b = append(b, list.name...)
		for _, id := range list.ids {
			b = appendID(append(b, ' '), id)
		}
	}
	return b
}

func digits(n uint64) int { return len(strconv.FormatUint(n, 10)) }

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
