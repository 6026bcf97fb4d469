package correct

import (
	"encoding/binary"
	"fmt"

	"github.com/raftctl/raftctl/wal"
)

// headerSize is the size of what precedes a record in its frame.
const headerSize = 8

// singleBit looks for one flipped bit that explains the damage: of the frame's header, the record's
// fields, its data, its stored checksum, of the checksum that the segment begins with if nothing proves
// it, or of the zeros behind the log's end.
func (s *search) singleBit() (found, bool) {
	x := found{what: "single bits"}
	s.headBits(&x)
	s.dataBits(&x)
	s.zeroBit(&x)
	x.patches = s.fitIdentity(x.patches)
	return x, len(x.patches) > 0
}

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
			for _, unpadded := range s.paddings() {
				f, ok := wal.ParseFrame(b, at.Off, s.site.Size, unpadded)
				if !ok || at.Off+int64(i) >= f.DataOff || !s.chains(&f) {
					continue
				}
				x.tried++
				p := patch{off: at.Off + int64(i), bytes: []byte{b[i]}}
				if pr := s.prove(p); pr.records > 0 && (at.Seeded || pr.data > 0) {
					p.why = fmt.Sprintf("bit %d of the byte at offset %d: the record of %d bytes then gives its crc %s",
						bit, p.off, f.Size, hex(f.CRC))
					p.follow = pr.follows()
					s.add(x, p)
				}
				break
			}
			x.tried++
			b[i] ^= 1 << bit
		}
	}
}

// paddings returns whether frames may be without padding: no, and yes where the segment has such.
func (s *search) paddings() []bool {
	if s.site.Before.Unpadded || s.site.Before.Records() < 2 {
		return []bool{false, true}
	}
	return []bool{false}
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

// frame returns the frame at the damage, if header and fields have the form of one.
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

// dataBits goes through the bits of the data, and of the checksums on both sides of it that nothing
// proves.
func (s *search) dataBits(x *found) {
	f, ok := s.frame()
	if !ok {
		return
	}
	sum := s.sum(span{f.DataOff, f.DataLen})
	off := sum ^ f.CRC // by how much the data is off
	if s.err != nil || off == 0 {
		return
	}
	x.tried += f.DataLen * 8
	if x.tried += 32; oneBit(off) {
		s.checksumBit(x, &f, sum)
	}
	r := off
	const look = 1 << 20
	for i := f.DataLen - 1; i >= 0; i-- {
		if r = back(r); r < 1<<8 && oneBit(r) {
			s.dataBit(x, &f, f.DataOff+i, byte(r))
		}
		if i%look == 0 && s.ctx.Err() != nil {
			s.err = s.ctx.Err()
			return
		}
	}
	if s.seedUnproven() {
		x.tried += 32
		if oneBit(r) {
			s.seedBit(x, r)
		}
	}
}

// dataBit adds the candidate that a byte of the data is wrong in the bits of mask.
func (s *search) dataBit(x *found, f *wal.Frame, off int64, mask byte) {
	b := s.read(off, 1)
	if len(b) == 0 {
		return
	}
	p := patch{off: off, bytes: []byte{b[0] ^ mask}}
	pr := s.prove(p)
	if pr.records == 0 {
		return
	}
	p.why = fmt.Sprintf("the byte at offset %d, %02x, is %02x: the data then gives its crc %s", off, b[0], p.bytes[0],
		hex(f.CRC))
	p.follow = pr.follows()
	s.add(x, p)
}

// checksumBit adds the candidate that the stored checksum is wrong.
func (s *search) checksumBit(x *found, f *wal.Frame, sum uint32) {
	right := *f
	right.CRC = sum
	if !right.Place() || right.DataOff != f.DataOff {
		return
	}
	p := patch{off: f.Off, bytes: right.AppendHead(nil)}
	pr := s.prove(p)
	if pr.records == 0 {
		return
	}
	p.why = fmt.Sprintf("stored crc %s is %s, which the data gives", hex(f.CRC), hex(sum))
	p.follow = pr.follows()
	s.add(x, p)
}

// seedUnproven reports whether the damage is in the first data of the segment, and nothing proves the
// checksum that the segment begins with.
func (s *search) seedUnproven() bool {
	return !s.site.Chained && s.site.Before.Records() == 1
}

// seedBit adds the candidate that the checksum at the head of the segment is wrong.
func (s *search) seedBit(x *found, mask uint32) {
	b := s.read(0, wal.HeadSize)
	f, ok := wal.ParseFrame(b, 0, s.site.Size, s.site.Before.Unpadded)
	if !ok || f.Kind != wal.KindCRC || f.HasData {
		return
	}
	right := f
	right.CRC ^= mask
	if !right.Place() || right.Size != f.Size {
		return
	}
	s.add(x, patch{
		off: 0, bytes: right.AppendHead(nil), follow: true,
		why: fmt.Sprintf("crc %s at the segment's head is %s, which the record behind it continues", hex(f.CRC),
			hex(right.CRC)),
	})
}

// zeroBit adds the candidate that one bit is set behind the log's end, where there are zeros.
func (s *search) zeroBit(x *found) {
	if !s.site.Tail || s.site.More {
		return
	}
	at, count, value := int64(-1), 0, byte(0)
	off := s.site.Before.Off
	s.eachChunk(s.src, span{off, s.site.Size - off}, func(b []byte) bool {
		for i, c := range b {
			if c != 0 {
				count, at, value = count+1, off+int64(i), c
			}
		}
		off += int64(len(b))
		return count <= 1
	})
	x.tried += 8 * (s.site.Size - s.site.Before.Off)
	if count == 1 && oneBit(uint32(value)) {
		s.add(x, patch{
			off: at, bytes: []byte{0}, follow: true, why: "behind the log's end there are only zeros, but for it",
		})
	}
}

// hex formats a checksum as the reader's evidence does.
func hex(crc uint32) string {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], crc)
	return fmt.Sprintf("%x", b)
}
