package correct

import (
	"hash/crc32"
	"io"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// patched is a segment with some bytes replaced.
type patched struct {
	src io.ReaderAt
	patch
}

func (p *patched) ReadAt(b []byte, off int64) (int, error) {
	n, err := p.src.ReadAt(b, off)
	lo, hi := max(off, p.off), min(off+int64(n), p.off+int64(len(p.bytes)))
	if lo < hi {
		copy(b[lo-off:hi-off], p.bytes[lo-p.off:])
	}
	return n, err
}

// proof is how far a segment reads without a flaw from the damage on.
type proof struct {
	records int
	beyond  int            // how many of them lie behind the patch and have data: they prove the chain before
	clean   bool           // the log ends behind them, or the segment does and the next goes on
	linked  bool           // the next segment goes on
	id      raftpb.EntryID // of the first, if it is an entry
}

// maxProof is how many records are read at most: those of a segment's head, and one that follows.
const maxProof = 4

// prove reads the segment from the damage on as it is with a patch. What tells that its frames have no
// padding may lie behind the damage.
func (s *search) prove(p patch) proof {
	at := s.site.Before
	x := s.proveFrom(p, at)
	if at.Unpadded || x.follows() || s.sawPadding() {
		return x
	}
	at.Unpadded = true
	if y := s.proveFrom(p, at); y.follows() || x.records == 0 {
		return y
	}
	return x
}

func (s *search) proveFrom(p patch, at wal.Reached) (x proof) {
	for r, err := range s.log.Dialect().Walk(&patched{s.src, p}, s.site.Size, &at) {
		if err != nil {
			s.err = err
			return proof{}
		}
		if x.records == 0 {
			x.id = r.ID
		}
		x.records++
		if r.Data != nil && r.Pos.Off > s.site.Before.Off && r.Pos.Off >= p.off+int64(len(p.bytes)) {
			x.beyond++
		}
		if x.records == maxProof || x.records > 1 && x.beyond > 0 {
			return x
		}
	}
	if x.records > 0 {
		x.clean = s.endsAt(p, at)
		x.linked = x.clean && !s.site.Tail
	}
	return x
}

// endsAt reports whether the segment ends at a place as a writer leaves it.
func (s *search) endsAt(p patch, at wal.Reached) bool {
	if !s.site.Tail {
		return at.Off == s.site.Size && s.site.HasNext && s.site.Next == at.Sum
	}
	nonzero := false
	s.eachChunk(&patched{s.src, p}, span{at.Off, s.site.Size - at.Off}, func(b []byte) bool {
		for _, c := range b {
			nonzero = nonzero || c != 0
		}
		return !nonzero
	})
	return !nonzero && s.err == nil
}

// proven reports whether what follows proves the checksum behind the patch.
func (x *proof) proven() bool { return x.beyond > 0 || x.linked }

// follows reports whether the log goes on behind the first record.
func (x proof) follows() bool { return x.records > 1 || x.clean }

// sum returns the checksum of the chain before the damage with data appended that lies in the segment.
// What is tried often differs in a few bytes at the ends only, so that the checksum of what lies between is
// kept.
func (s *search) sum(d span) uint32 {
	const unit = 64 // more than precedes the data in a frame
	mid := span{off: s.site.Before.Off + unit}
	hi := d.off + d.n
	mid.n = (hi - mid.off) / unit * unit
	if mid.n <= 0 || d.off > mid.off {
		return s.sumFrom(s.site.Before.Sum, d)
	}
	fresh, ok := s.sums[mid]
	if !ok {
		fresh = s.sumFrom(0, mid)
		s.sums[mid] = fresh
	}
	sum := s.sumFrom(s.site.Before.Sum, span{d.off, mid.off - d.off})
	sum = forthBy(sum, mid.n) ^ fresh
	return s.sumFrom(sum, span{mid.off + mid.n, hi - mid.off - mid.n})
}

// sumFrom returns the checksum of a chain with data appended that lies in the segment.
func (s *search) sumFrom(sum uint32, d span) uint32 {
	s.eachChunk(s.src, d, func(b []byte) bool {
		sum = crc32.Update(sum, castagnoli, b)
		return true
	})
	return sum
}

const chunkSize = 256 << 10

// eachChunk calls fn with the bytes of a span, one chunk after the other, until it returns false.
func (s *search) eachChunk(src io.ReaderAt, d span, fn func(b []byte) bool) {
	buf := make([]byte, min(chunkSize, max(d.n, 0)))
	for off, hi := d.off, d.off+d.n; off < hi && s.err == nil; {
		b := buf[:min(int64(len(buf)), hi-off)]
		n, err := src.ReadAt(b, off)
		if n < len(b) && err != nil {
			s.err = err
			return
		}
		if s.err = s.ctx.Err(); s.err != nil || !fn(b) {
			return
		}
		off += int64(n)
	}
}
