package correct

import (
	"fmt"

	"github.com/raftctl/raftctl/wal"
)

// checksum adds the candidate that the stored checksum of a frame is wrong, if that is an error of the
// width.
func (s *search) checksum(x *found, f *wal.Frame, width int) {
	right := *f
	right.CRC = s.sum(span{f.DataOff, f.DataLen})
	if !right.Place() || right.DataOff != f.DataOff {
		return
	}
	p := patch{off: f.Off, bytes: right.AppendHead(nil)}
	if !s.within(p, width) || !x.open() {
		return
	}
	pr := s.prove(p)
	if pr.records == 0 {
		return
	}
	p.why = fmt.Sprintf("stored crc %s is %s, which the data gives", hex(f.CRC), hex(right.CRC))
	p.follow = pr.follows()
	s.add(x, p)
}

// within reports whether a candidate changes no more than one aligned unit of width bits.
func (s *search) within(p patch, width int) bool {
	var x found
	s.add(&x, p)
	if len(x.patches) != 1 {
		return false
	}
	p = x.patches[0]
	old := s.read(p.off, int64(len(p.bytes)))
	if len(old) == 0 {
		return false
	}
	if width == 1 {
		return len(old) == 1 && oneBit(uint32(old[0]^p.bytes[0]))
	}
	unit := int64(width / 8)
	return p.off/unit == (p.off+int64(len(old))-1)/unit
}

// headUnproven reports whether the damage is in the first data of the segment, and nothing proves the
// checksum that the segment begins with.
func (s *search) headUnproven() bool {
	return !s.site.Chained && s.site.Before.Seeded && s.site.Before.Records() == 1
}

// headChecksum adds the candidate that the checksum at the segment's head is wrong by e.
func (s *search) headChecksum(x *found, e uint32, width int) {
	p, ok := s.headWith(e)
	if ok && s.within(p, width) && x.open() {
		s.add(x, p)
	}
}

// headWith returns the segment's crc record with a checksum that differs by e.
func (s *search) headWith(e uint32) (p patch, ok bool) {
	for _, unpadded := range s.paddings() {
		f, ok := wal.ParseFrame(s.read(0, wal.HeadSize), 0, s.site.Size, unpadded)
		if !ok || f.Kind != wal.KindCRC || f.HasData {
			continue
		}
		right := f
		right.CRC ^= e
		if !right.Place() || right.Size != f.Size {
			return p, false
		}
		why := fmt.Sprintf("crc %s at the segment's head was %s, which the record behind it continues", hex(f.CRC),
			hex(right.CRC))
		return patch{off: 0, bytes: right.AppendHead(nil), why: why, follow: true}, true
	}
	return p, false
}

// hex formats a checksum as the reader's evidence does.
func hex(crc uint32) string { return fmt.Sprintf("%08x", crc) }
