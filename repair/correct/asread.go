package correct

import "github.com/raftctl/raftctl/wal"

// headerSize is the size of what precedes a record in its frame.
const headerSize = 8

// asRead corrects what the reader explains itself: everything else in the record is proven intact, so
// that the right bytes are those that a writer would have put there.
func (s *search) asRead(x *found) {
	x.what, x.tried = "forms of the record", 1
	r := s.site.Record
	if r == nil || r.Unchecked && s.finding.Class != wal.ClassPadding {
		return
	}
	f := frameOf(r)
	head := f.AppendHead(nil)
	p := patch{off: f.Off, bytes: head, why: "the data gives crc " + hex(r.Sum), follow: true}
	switch s.finding.Class {
	case wal.ClassLengthField, wal.ClassZeroedLength:
		if !s.knowsPadding(p) {
			return
		}
		p.bytes = head[:headerSize]
	case wal.ClassKind, wal.ClassPrefix:
		p.off, p.bytes = f.Off+headerSize, head[headerSize:]
	case wal.ClassCRCField:
		if pr := s.prove(p); !pr.proven() {
			return // the data may be wrong as well
		}
		p.off, p.bytes = f.Off+headerSize, head[headerSize:]
	case wal.ClassPadding:
		p.off, p.bytes, p.why = f.End()-int64(f.Pad), make([]byte, f.Pad), "padding is zero"
		if !s.knowsPadding(p) {
			return
		}
	default:
		return
	}
	s.add(x, p)
}

// frameOf returns the frame in which a record should lie.
func frameOf(r *wal.Record) wal.Frame {
	f := wal.Frame{
		Off: r.Pos.Off, Size: r.Len - headerSize - int64(r.Pad), Pad: r.Pad, Kind: r.Kind, CRC: r.Sum,
		HasData: r.Data != nil,
	}
	f.Place()
	return f
}

// knowsPadding reports whether the frame at the damage is known to have padding, or not to have any: by
// what follows, or by the frames before it. No frame with padding comes before one without. Where a later
// etcd may have gone on with a log without, and nothing follows, both are possible.
func (s *search) knowsPadding(p patch) bool {
	pr := s.prove(p)
	if pr.proven() || pr.follows() && !s.site.Before.Unpadded {
		return true
	}
	for r, err := range s.log.SegmentRecords(s.site.Segment) {
		if s.err = s.ctx.Err(); err != nil || s.err != nil || r.Pos.Off >= s.site.Before.Off {
			return false
		}
		if r.Pad > 0 {
			rec := s.site.Record
			return rec.Pad == wal.Padding(rec.Len-int64(rec.Pad))
		}
	}
	return false
}
