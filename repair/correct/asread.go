package correct

import "github.com/raftctl/raftctl/wal"

// asRead corrects what the reader explains itself: everything else in the record is proven intact, so
// that the right bytes are those that a writer would have put there.
func (s *search) asRead() (found, bool) {
	r := s.site.Record
	if r == nil || r.Unchecked && s.finding.Class != wal.ClassPadding {
		return found{}, false
	}
	f := frameOf(r)
	head := f.AppendHead(nil)
	p := patch{off: f.Off, bytes: head, why: "the data gives crc " + hex(r.Sum), follow: true}
	const header = 8
	switch s.finding.Class {
	case wal.ClassLengthField, wal.ClassZeroedLength:
		p.bytes = head[:header]
	case wal.ClassKind, wal.ClassPrefix:
		p.off, p.bytes = f.Off+header, head[header:]
	case wal.ClassCRCField:
		if !s.prove(p).follows() {
			return found{}, false // the data may be wrong as well
		}
		p.off, p.bytes = f.Off+header, head[header:]
	case wal.ClassPadding:
		p.off, p.bytes, p.why = f.End()-int64(f.Pad), make([]byte, f.Pad), "padding is zero"
	default:
		return found{}, false
	}
	x := found{what: "forms of the record", tried: 1}
	s.add(&x, p)
	return x, len(x.patches) > 0
}

// frameOf returns the frame in which a record should lie.
func frameOf(r *wal.Record) wal.Frame {
	f := wal.Frame{
		Off: r.Pos.Off, Pad: r.Pad, Kind: r.Kind, CRC: r.Sum,
		HasData: r.Data != nil, DataLen: int64(len(r.Data)),
	}
	const header = 8
	f.Size = r.Len - header - int64(r.Pad)
	f.Place()
	return f
}
