package correct

import "github.com/raftctl/raftctl/wal"

// zeroBit adds the candidate that one bit is set behind the log's end, where there are zeros. A torn
// write may leave a single bit as well, in the length of its record: that it is cut off is the same.
func (s *search) zeroBit(x *found) {
	b, off, n := s.stray()
	x.tried += 8 * n
	if len(b) == 1 && oneBit(uint32(b[0])) {
		s.addZeros(x, off, 1)
	}
}

// zeroWord looks for bytes behind the log's end that are not zero and lie within one word of 32 bits: no
// record is as small.
func (s *search) zeroWord(x *found) {
	x.what = "places behind the log's end"
	b, off, n := s.stray()
	const word = 4
	x.tried = n / word
	if len(b) > 0 && off/word == (off+int64(len(b))-1)/word && s.finding.Class != wal.ClassTorn {
		x.tried = 1
		s.addZeros(x, off, len(b))
	}
}

func (s *search) addZeros(x *found, off int64, n int) {
	s.add(x, patch{
		off: off, bytes: make([]byte, n), follow: true, why: "behind the log's end there are only zeros, but for it",
	})
}

// maxStray is how many bytes behind a log's end may be told from a record.
const maxStray = 4

// stray returns the bytes behind the log's end from the first to the last that is not zero, if they are
// few, and how many bytes were looked at.
func (s *search) stray() (b []byte, first, n int64) {
	if !s.site.Tail || s.site.More || !s.site.Before.Seeded {
		return nil, 0, 0
	}
	off := s.site.Before.Off
	n = s.site.Size - off
	first, last := int64(-1), int64(-1)
	s.eachChunk(s.src, span{off, n}, func(b []byte) bool {
		for i, c := range b {
			if c == 0 {
				continue
			}
			if last = off + int64(i); first < 0 {
				first = last
			}
		}
		off += int64(len(b))
		return last-first < maxStray
	})
	if first < 0 || last-first >= maxStray {
		return nil, 0, n
	}
	return s.read(first, last-first+1), first, n
}
