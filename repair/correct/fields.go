package correct

import (
	"fmt"

	"github.com/raftctl/raftctl/wal"
)

// fields looks for a header and fields of the record that explain the damage, whatever is wrong with
// them, around data as it is. How long the record is may be known from its header, from its own fields,
// or from where the next record begins.
func (s *search) fields(x *found) {
	x.what = "ways to read the data that is there"
	if !s.site.Before.Seeded || s.fieldsProven() {
		return
	}
	for _, f := range s.sizes() {
		for n := 1; n <= checksumSize; n++ {
			f.CRC, f.HasData = uint32(1)<<(7*n-7), true // of that size
			if !f.Place() {
				continue
			}
			sum := s.sum(span{f.DataOff, f.DataLen})
			x.tried++
			if f.CRC = sum; f.Place() && f.DataLen > 0 {
				s.addFields(x, f)
			}
		}
		f.CRC, f.HasData = s.site.Before.Sum, false
		if x.tried++; f.Place() {
			s.addFields(x, f)
		}
	}
}

// fieldsProven reports whether header and fields of the record are right: they go together, the frame ends
// where the next one begins, and that continues the stored checksum.
func (s *search) fieldsProven() bool {
	f, ok := s.frame()
	return ok && s.goesOn(&f)
}

// maxFields is the largest record that is read in several ways: each of them takes a checksum over it.
const maxFields = 16 << 20

// sizes returns frames with the sizes that the record at the damage may have.
func (s *search) sizes() (out []wal.Frame) {
	at := &s.site.Before
	add := func(f wal.Frame) {
		for _, g := range out {
			if g.Size == f.Size && g.Pad == f.Pad {
				return
			}
		}
		if f.Size > 0 && f.Size <= maxFields && f.End() <= s.site.Size {
			out = append(out, wal.Frame{Off: f.Off, Size: f.Size, Pad: f.Pad})
		}
	}
	b := s.read(at.Off, wal.HeadSize)
	for _, unpadded := range s.paddings() {
		if f, ok := wal.ParseFrame(b, at.Off, s.site.Size, unpadded); ok {
			add(f)
		} else if size, pad, ok := wal.ParseHeader(b, unpadded); ok {
			add(wal.Frame{Off: at.Off, Size: size, Pad: pad})
		}
		if f, ok := wal.ParseUnframed(b, at.Off, s.site.Size, unpadded); ok {
			add(f)
		}
		end := s.end()
		for pad := range frameAlign {
			size := end - at.Off - headerSize - int64(pad)
			if unpadded && pad == 0 || !unpadded && wal.Padding(size) == pad {
				add(wal.Frame{Off: at.Off, Size: size, Pad: pad})
			}
		}
	}
	return out
}

// frameAlign is what padded frames begin at a multiple of.
const frameAlign = 8

// end returns where the record at the damage may end: where the next one begins, or where there are only
// zeros.
func (s *search) end() int64 {
	if s.site.More || !s.site.Tail {
		return s.site.End
	}
	return (s.site.End + frameAlign - 1) / frameAlign * frameAlign
}

// addFields adds the candidate that a record lies in the frame f, with the checksum that its data gives,
// if the stored checksum or what follows says so.
func (s *search) addFields(x *found, f wal.Frame) {
	stored, known := s.storedCRC()
	says := known && stored == f.CRC && f.HasData
	if !says && !s.goesOn(&f) {
		return
	}
	for _, kind := range s.kinds() {
		f.Kind = kind
		p := patch{off: f.Off, bytes: f.AppendHead(nil)}
		if !x.open() {
			return
		}
		pr := s.prove(p)
		if pr.records == 0 || !s.ends(&pr) || !says && !pr.proven() {
			continue
		}
		p.why = fmt.Sprintf("a record of %d bytes there gives crc %s", f.Size, hex(f.CRC))
		if pr.proven() {
			p.why += ", which what follows continues"
		}
		p.follow = pr.follows()
		s.add(x, p)
		if kind == s.kinds()[0] {
			return // as it is stored
		}
	}
}

// storedCRC returns the checksum that lies in the record at the damage, if its first fields have the
// form of a record's.
func (s *search) storedCRC() (crc uint32, ok bool) {
	at := &s.site.Before
	return wal.ParseCRC(s.read(at.Off, wal.HeadSize))
}

// kinds returns the kinds that the record at the damage may be of, the stored one first.
func (s *search) kinds() []wal.Kind {
	b := s.read(s.site.Before.Off, headerSize+2)
	var out []wal.Kind
	if len(b) == headerSize+2 {
		out = append(out, wal.Kind(b[headerSize+1]&0x7f))
	}
	for _, k := range s.log.Dialect().Kinds() {
		if len(out) == 0 || k != out[0] {
			out = append(out, k)
		}
	}
	return out
}

// maxApart is how far apart two places of one record may lie that are wrong together: what lies between
// them is part of the correction.
const maxApart = 1 << 20

// fieldsAndBit looks for a header and fields that explain the damage together with a flipped bit of the
// data. What follows, or the stored checksum, must say what the data should give.
func (s *search) fieldsAndBit(x *found) {
	x.what = "single bits of the data, each with the fields that go with it"
	s.fieldsAndError(x, 1)
}

// fieldsAndByte is fieldsAndBit for an error within one byte of the data.
func (s *search) fieldsAndByte(x *found) {
	x.what = "bytes of the data, each with the fields that go with it"
	s.fieldsAndError(x, 8)
}

func (s *search) fieldsAndError(x *found, width int) {
	if !s.site.Before.Seeded || s.fieldsProven() {
		return
	}
	for _, f := range s.sizes() {
		for _, crc := range s.knownCRCs() {
			f.CRC, f.HasData = crc, true
			if !f.Place() || f.DataLen == 0 {
				continue
			}
			if x.tried += patterns(f.DataLen, width); x.likely() {
				return
			}
			diff := s.sum(span{f.DataOff, f.DataLen}) ^ crc
			s.eachError(&f, diff, width, func(off int64, e uint32) { s.fieldsError(x, f, off, byte(e)) })
		}
	}
	s.fitIdentity(x)
}

// knownCRCs returns the checksums that the record at the damage may have: the stored one, and the one
// that the next record continues.
func (s *search) knownCRCs() (out []uint32) {
	if crc, ok := s.storedCRC(); ok {
		out = append(out, crc)
	}
	if _, crc, ok := s.next(); ok && (len(out) == 0 || out[0] != crc) {
		out = append(out, crc)
	}
	return out
}

// next returns the frame behind the damage and the checksum that it continues, if its data is intact.
func (s *search) next() (f wal.Frame, crc uint32, ok bool) {
	if !s.site.More {
		return f, s.site.Next, s.site.HasNext && s.site.End == s.site.Size
	}
	for _, unpadded := range s.paddings() {
		f, ok = wal.ParseFrame(s.read(s.site.End, wal.HeadSize), s.site.End, s.site.Size, unpadded)
		if !ok {
			continue
		}
		if !f.HasData {
			return f, f.CRC, true
		}
		fresh := s.sumFrom(0, span{f.DataOff, f.DataLen})
		return f, before(f.CRC, fresh, f.DataLen), s.err == nil
	}
	return f, 0, false
}

// fieldsError adds the candidate that the head of f and a byte of its data are wrong.
func (s *search) fieldsError(x *found, f wal.Frame, off int64, mask byte) {
	if off-f.Off > maxApart || !x.open() {
		return
	}
	b := s.read(f.Off, off-f.Off+1)
	if len(b) == 0 {
		return
	}
	b[len(b)-1] ^= mask
	for _, kind := range s.kinds() {
		f.Kind = kind
		copy(b, f.AppendHead(nil))
		p := patch{off: f.Off, bytes: b}
		if pr := s.prove(p); pr.records > 0 && s.ends(&pr) && s.plausible(&pr) {
			p.why = fmt.Sprintf("a record of %d bytes there, with another byte at offset %d, gives its crc %s", f.Size,
				off, hex(f.CRC))
			p.follow = pr.follows()
			s.add(x, p)
			return
		}
	}
}
