package correct

// zeroBit adds the candidate that one bit is set behind the log's end, where there are zeros. A torn
// write may leave a single bit as well, in the length of its record: that it is cut off is the same. More
// than a bit may be what is left of a record.
func (s *search) zeroBit(x *found) {
	if !s.site.Tail || s.site.More || !s.site.Before.Seeded {
		return
	}
	at, count, value := int64(0), 0, byte(0)
	off := s.site.Before.Off
	n := s.site.Size - off
	s.eachChunk(s.src, span{off, n}, func(b []byte) bool {
		for i, c := range b {
			if c != 0 {
				at, value = off+int64(i), c
				count++
			}
		}
		off += int64(len(b))
		return count <= 1
	})
	if x.tried += 8 * n; count == 1 && oneBit(uint32(value)) {
		s.add(x, patch{
			off: at, bytes: []byte{0}, follow: true, why: "behind the log's end there are only zeros, but for it",
		})
	}
}
