package repair

import (
	"encoding/binary"
	"io"
	"path"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// Bounds of what is listed of a finding.
const (
	maxLost       = 20       // entries
	maxLostBytes  = 1 << 20  // bytes of damage that are looked through for entries
	summaryWidth  = 100      // columns of what an entry says
	maxLostRecord = 16 << 20 // bytes of an entry whose bytes are looked at
)

// tellLost names, at each damage of the log, the entries that it took: what their bytes still seem to say,
// whether they are known to be committed, and whether the database has applied them.
func (x *examination) tellLost() {
	if x.Report == nil || x.Report.View == nil {
		return
	}
	for i := range x.findings {
		f := &x.findings[i]
		if f.Log == nil || f.Check != CheckLog || f.Severity != verdict.Error {
			continue
		}
		l := &lostList{x: x, f: f, known: map[uint64]bool{}}
		l.damaged()
		l.missing()
	}
	x.tellCut()
}

// lostList gathers the entries of one finding.
type lostList struct {
	x     *examination
	f     *Finding
	known map[uint64]bool // the indexes that are in the list
}

func (l *lostList) add(e LostEntry) {
	if l.known[e.ID.Index] {
		return
	}
	if len(l.f.Lost) == maxLost {
		l.f.LostMore++
		return
	}
	l.known[e.ID.Index] = true
	r := l.x.Report
	e.Committed = e.ID.Index <= max(r.Commit(), l.x.Database.Applied().Index)
	e.Applied = e.ID.Index <= l.x.Database.Applied().Index
	l.f.Lost = append(l.f.Lost, e)
}

// damaged looks for entries among the bytes that are wrong. One that the log has elsewhere, or that can't be
// in this place, is none that the damage took.
func (l *lostList) damaged() {
	b := bytesOf(l.x.Log, wal.Position{Segment: l.f.File, Off: l.f.Off}, min(l.f.Len, maxLostBytes))
	for len(b) > 0 {
		data, n := frameAt(b, wal.KindEntry)
		var e raftpb.Entry
		if data != nil && e.UnmarshalAlias(data) == nil && l.fits(e.Index) {
			l.add(LostEntry{ID: e.ID(), Summary: summaryOf(&e, decode.ValuesNone)}) // its key may no longer tell a secret
		}
		b = b[n:]
	}
}

// fits reports whether the damage may have taken the entry of an index.
func (l *lostList) fits(index uint64) bool {
	before, after := l.f.Log.Before.Index, l.f.Log.After.Index
	return index > before && (after == 0 && index <= before+maxLost || index < after) && !l.x.has(index)
}

// missing adds the entries between those around the damage, of which no bytes are left.
func (l *lostList) missing() {
	if l.f.Entries.Last == 0 {
		return
	}
	for index := l.f.Entries.First; index <= l.f.Entries.Last; index++ {
		if len(l.f.Lost) == maxLost {
			l.f.LostMore += l.f.Entries.Last - index + 1
			return
		}
		if !l.x.has(index) {
			l.add(LostEntry{ID: raftpb.EntryID{Index: index}})
		}
	}
}

// has reports whether the log has the entry of an index, intact.
func (x *examination) has(index uint64) bool {
	for _, r := range x.Report.Ranges {
		if r.First <= index && index <= r.Last {
			return true
		}
	}
	return false
}

// bytesOf returns bytes of a segment; nil if they can't be read.
func bytesOf(log *wal.Log, at wal.Position, n int64) []byte {
	if n <= 0 {
		return nil
	}
	f, info, err := vfs.OpenRegular(log.FS(), path.Join(log.Dir(), at.Segment))
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }() // opened for reading
	r, ok := f.(io.ReaderAt)
	if !ok || at.Off >= info.Size() {
		return nil
	}
	b := make([]byte, min(n, info.Size()-at.Off))
	n2, _ := r.ReadAt(b, at.Off)
	return b[:n2]
}

// frameAt returns the data of the frame of a kind that b begins with, nil if it doesn't, and how far to go on.
func frameAt(b []byte, kind wal.Kind) (data []byte, n int) {
	const header, align = 8, 8
	skip := min(align, len(b))
	if len(b) < header {
		return nil, skip
	}
	field := binary.LittleEndian.Uint64(b)
	size, pad := field&(1<<56-1), field>>56&7
	if size < 4 || size+pad > uint64(len(b)-header) || size > maxLostRecord {
		return nil, skip
	}
	rec := b[header : header+size]
	if data = dataOf(rec, kind); data == nil {
		return nil, skip
	}
	return data, header + int(size+pad)
}

// dataOf returns the data of a record that has the form of one of a kind: the kind behind 08, a checksum behind 10,
// and a length behind 1a.
func dataOf(rec []byte, kind wal.Kind) []byte {
	if len(rec) < 5 || rec[0] != 0x08 || rec[1] != byte(kind) || rec[2] != 0x10 {
		return nil
	}
	_, n := binary.Uvarint(rec[3:])
	if n <= 0 || len(rec) < 4+n || rec[3+n] != 0x1a {
		return nil
	}
	rest := rec[4+n:]
	size, n := binary.Uvarint(rest)
	if n <= 0 || size > uint64(len(rest)-n) {
		return nil
	}
	return rest[n : n+int(size)]
}

// summaryOf says what an entry asks for, without secrets; nothing if that can't be told.
func summaryOf(e *raftpb.Entry, values decode.Values) string {
	var r decode.Request
	if decode.Payload(&r, e) != nil {
		return ""
	}
	return string(r.AppendSummary(nil, decode.Style{Width: summaryWidth, Values: values}))
}

// tellCut names, at the damage where releases cut off or leave out most, the entries that they lose though
// they are here, intact.
func (x *examination) tellCut() {
	loss := x.Report.Loss()
	if loss == nil {
		return
	}
	var at *Finding
	for i := range x.findings {
		f := &x.findings[i]
		if f.Log == nil || f.Check != CheckLog || f.Severity != verdict.Error {
			continue
		}
		if at == nil || f.Log.Before.Index < loss.Lost[0].First {
			at = f
		}
	}
	if at == nil {
		return
	}
	l := &lostList{x: x, f: at, known: map[uint64]bool{}}
	for _, e := range at.Lost {
		l.known[e.ID.Index] = true
	}
	for _, r := range loss.Lost {
		for index := r.First; index <= r.Last; index++ {
			if len(at.Lost) == maxLost {
				at.LostMore += r.Last - index + 1
				break
			}
			l.add(x.intactEntry(index))
		}
	}
}

// intactEntry returns an entry that the log has.
func (x *examination) intactEntry(index uint64) LostEntry {
	lost := LostEntry{ID: raftpb.EntryID{Index: index}}
	var e raftpb.Entry
	if at, err := x.Report.View.Locate(index); err == nil {
		rec, err := x.Log.ReadAt(at)
		if err == nil && e.UnmarshalAlias(rec.Data) == nil {
			return LostEntry{ID: e.ID(), Summary: summaryOf(&e, decode.ValuesShort), Proven: !rec.Unchecked}
		}
	}
	for live, err := range x.Report.View.Entries(index) { // its frame is damaged, and its data isn't
		if err == nil && live.Index == index {
			return LostEntry{ID: live.ID(), Summary: summaryOf(live.Entry, decode.ValuesShort), Proven: !live.Record.Unchecked}
		}
		break
	}
	return lost
}
