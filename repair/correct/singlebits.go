package correct

import (
	"fmt"

	"github.com/raftctl/raftctl/wal"
)

// singleBits looks for one flipped bit that explains the damage: of the frame's header, the record's
// fields, its data, its stored checksum, of the checksum that the segment begins with if nothing proves
// it, or of the zeros behind the log's end.
func (s *search) singleBits(x *found) {
	x.what, x.single = "single bits", true
	s.headBits(x)
	s.dataErrors(x, 1)
	s.fitIdentity(x)
	s.zeroBit(x)
}

// checksumAt is where the stored checksum lies in a frame.
const checksumAt = headerSize + 3

// headBits tries each bit of what precedes the data.
func (s *search) headBits(x *found) {
	at := &s.site.Before
	if !at.Seeded && at.Off != 0 {
		return
	}
	b := s.read(at.Off, wal.HeadSize)
	for i := range b {
		for bit := range 8 {
			b[i] ^= 1 << bit
			s.headBit(x, b, i, bit)
			b[i] ^= 1 << bit
		}
	}
}

// headBit adds the candidate that bit of byte i of a frame is wrong. b is the frame's head without that
// error. What the crc record that a segment begins with says is forced but for the checksum, which what follows must
// prove.
func (s *search) headBit(x *found, b []byte, i, bit int) {
	at := &s.site.Before
	x.tried++
	for _, unpadded := range s.paddings() {
		f, ok := wal.ParseFrame(b, at.Off, s.site.Size, unpadded)
		if !ok || at.Off+int64(i) >= f.DataOff || !s.chains(&f) {
			continue
		}
		p := patch{off: at.Off + int64(i), bytes: []byte{b[i]}}
		pr := s.prove(p)
		if pr.records > 0 && (pr.proven() || !s.oddPadding(&f, &pr) && (at.Seeded || i < checksumAt)) {
			p.why = fmt.Sprintf("bit %d of the byte at offset %d: the record of %d bytes then gives its crc %s",
				bit, p.off, f.Size, hex(f.CRC))
			p.follow = pr.follows()
			s.add(x, p)
		}
		return
	}
}

// oddPadding reports whether a frame would be the first with padding in a segment that holds frames without,
// or the first without. Behind the last record nothing tells the two apart, and the log reads the same: it is
// taken to be like those before.
func (s *search) oddPadding(f *wal.Frame, pr *proof) bool {
	if f.Pad > 0 {
		return s.site.Before.Unpadded && !s.sawPadding()
	}
	return wal.Padding(f.Size) > 0 && !s.site.Before.Unpadded && !pr.follows()
}

// chains reports whether a frame continues the chain before the damage.
func (s *search) chains(f *wal.Frame) bool {
	switch at := &s.site.Before; {
	case !at.Seeded:
		return f.Kind == wal.KindCRC && !f.HasData
	case !f.HasData:
		return f.CRC == at.Sum
	}
	return s.sum(span{f.DataOff, f.DataLen}) == f.CRC
}

// frame returns the frame at the damage, if header and fields have the form of one with data.
func (s *search) frame() (f wal.Frame, ok bool) {
	at := &s.site.Before
	if !at.Seeded {
		return f, false
	}
	for _, unpadded := range s.paddings() {
		if f, ok = wal.ParseFrame(s.read(at.Off, wal.HeadSize), at.Off, s.site.Size, unpadded); ok {
			return f, f.HasData && f.DataLen > 0
		}
	}
	return f, false
}
