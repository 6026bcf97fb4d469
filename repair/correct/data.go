package correct

import (
	"fmt"

	"github.com/raftctl/raftctl/wal"
)

// bytes looks for an error within one byte of the data, or of a checksum that nothing proves.
func (s *search) bytes(x *found) {
	x.what = "errors within one byte"
	s.dataErrors(x, 8)
	s.fitIdentity(x)
}

// words looks for an error within one aligned word of 16 bits.
func (s *search) words(x *found) {
	x.what = "errors within a 16-bit word"
	s.dataErrors(x, 16)
	s.fitIdentity(x)
}

// dataErrors goes through the errors of a width in bits, 1, 8 or 16, that explain why the data of the
// frame at the damage doesn't give its checksum: errors of the data, and of the checksums on both sides
// of it that nothing proves.
func (s *search) dataErrors(x *found, width int) {
	f, ok := s.frame()
	if !ok {
		return
	}
	diff := s.sum(span{f.DataOff, f.DataLen}) ^ f.CRC
	if s.err != nil || diff == 0 {
		return
	}
	x.tried += patterns(f.DataLen, width)
	stored, head := !s.goesOn(&f), s.headUnproven() && f.Kind == wal.KindMetadata // with a wrong type, data may be wrong as well
	if stored {
		x.tried += patterns(checksumSize, width)
	}
	if head {
		x.tried += patterns(checksumSize, width)
	}
	if stored && s.err == nil {
		s.checksum(x, &f, width)
	}
	first := s.eachError(&f, diff, width, func(off int64, e uint32) { s.dataError(x, &f, off, e) })
	if head && s.err == nil {
		s.headChecksum(x, first, width)
	}
}

// checksumSize is the size of a stored checksum.
const checksumSize = 5

// patterns returns how many errors of a width n bytes can have.
func patterns(n int64, width int) int64 {
	if width == 1 {
		return n * 8
	}
	return n * 8 / int64(width) * (1<<width - 1)
}

// eachError goes backwards through the data of a frame and calls fn with each place at which an error
// of a width would make diff of the checksum, and the error. It returns the error of the checksum before
// the data that would.
func (s *search) eachError(f *wal.Frame, diff uint32, width int, fn func(off int64, e uint32)) uint32 {
	const look = 1 << 20
	limit, align := uint32(1)<<max(width, 8), int64(max(width, 8)/8)
	e := diff
	for off := f.DataOff + f.DataLen - 1; off >= f.DataOff; off-- {
		e = back(e)
		if e < limit && off%align == 0 && (width > 1 || oneBit(e)) {
			fn(off, e)
		}
		if off%look == 0 && s.ctx.Err() != nil {
			s.err = s.ctx.Err()
			break
		}
	}
	return e
}

// dataError adds the candidate that the data is wrong by e at off, which is as wide as it is not zero.
func (s *search) dataError(x *found, f *wal.Frame, off int64, e uint32) {
	if !x.open() {
		return
	}
	var b []byte
	for ; e != 0; e >>= 8 {
		b = append(b, byte(e))
	}
	old := s.read(off, int64(len(b)))
	for i := range old {
		b[i] ^= old[i]
	}
	p := patch{off: off, bytes: b}
	pr := s.prove(p)
	if pr.records == 0 || len(b) > 1 && !s.plausible(&pr) {
		return
	}
	p.why = fmt.Sprintf("%x at offset %d was %x: the data then gives its crc %s", old, off, b, hex(f.CRC))
	p.follow = pr.follows()
	s.add(x, p)
}

// plausible reports whether the first record that a candidate proves goes with its neighbours: an entry
// leaves none out, and the next one goes on from it.
func (s *search) plausible(pr *proof) bool {
	id, last, next := pr.id, s.site.Before.Last().Index, s.finding.After.Index
	return id.Index == 0 || (last == 0 || id.Index <= last+1) && (next == 0 || next <= id.Index+1)
}

// goesOn reports whether what follows a frame continues its stored checksum, which then is right.
func (s *search) goesOn(f *wal.Frame) bool {
	if f.End() == s.site.Size {
		return s.site.HasNext && s.site.Next == f.CRC
	}
	for _, unpadded := range s.paddings() {
		next, ok := wal.ParseFrame(s.read(f.End(), wal.HeadSize), f.End(), s.site.Size, unpadded)
		if ok && next.HasData {
			return s.sumFrom(f.CRC, span{next.DataOff, next.DataLen}) == next.CRC
		}
	}
	return false
}
