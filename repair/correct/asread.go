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
// what follows, or by the frames before it. Where a later etcd may have gone on with a log without padding,
// and nothing follows, both are possible.
func (s *search) knowsPadding(p patch) bool {
	pr, r := s.prove(p), s.site.Record
	return pr.proven() || pr.follows() && !s.site.Before.Unpadded ||
		s.sawPadding() && r.Pad == wal.Padding(r.Len-int64(r.Pad))
}

// paddings returns whether frames may be without padding: no, if one before the damage has some, and else
// no and yes.
func (s *search) paddings() []bool {
	if s.sawPadding() {
		return []bool{false}
	}
	return []bool{false, true}
}

// sawPadding reports whether a frame before the damage has padding. No frame without comes behind it.
func (s *search) sawPadding() bool {
	if s.padded == nil {
		saw := false
		for i := s.site.Segment; i >= max(s.site.Segment-1, 0) && !saw; i-- {
			saw = s.hasPadding(i)
		}
		s.padded = &saw
	}
	return *s.padded
}

// hasPadding reports whether a frame of a segment has padding. One that is damaged itself doesn't count.
func (s *search) hasPadding(segment int) bool {
	damaged := int64(-1)
	for r, err := range s.log.SegmentRecords(segment) {
		if s.err = s.ctx.Err(); err != nil || s.err != nil {
			return false
		}
		switch {
		case segment == s.site.Segment && r.Pos.Off >= s.site.Before.Off:
			return false
		case r.Kind == wal.KindDamage:
			damaged = r.Pos.Off
		case r.Pad > 0 && r.Pos.Off != damaged && !r.Unchecked:
			return true
		}
	}
	return false
}

// ends reports whether the frame that a candidate makes surely ends where it says: the log goes on there, or
// frames are known to have padding.
func (s *search) ends(pr *proof) bool { return pr.follows() || s.sawPadding() }
