package correct

import (
	"bytes"
	"fmt"
	"hash/crc32"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// The records that a segment begins with say nothing that is not known from elsewhere: the checksum that
// the segment before ends with, the metadata of every other segment, and in a log of etcd the hard state
// that was saved last, or in the first segment the snapshot at index 0.

// forced looks for records of a segment's head that fill the damaged bytes exactly.
func (s *search) forced(x *found) {
	x.what = "heads of a segment"
	if !s.site.More || s.site.Before.Records() >= headRecords {
		return
	}
	for _, unpadded := range s.paddings() {
		if s.site.Before.Seeded {
			s.forcedHead(x, s.site.Before.Sum, unpadded)
		} else if s.site.Before.Off == 0 {
			s.forcedStart(x, unpadded)
		}
	}
}

// headRecords is how many records at the head of a segment are known from elsewhere.
const headRecords = 3

// forcedHead adds the head that goes on from a checksum and ends where the damage does, if what follows
// continues it.
func (s *search) forcedHead(x *found, sum uint32, unpadded bool) {
	at := s.site.Before
	var b []byte
	for n := at.Records(); n < headRecords; n++ {
		kind, data, ok := s.headRecord(n)
		if !ok {
			return
		}
		sum = crc32.Update(sum, castagnoli, data)
		f := wal.Frame{Off: at.Off + int64(len(b)), Kind: kind, CRC: sum, HasData: data != nil}
		f.Fit(int64(len(data)), unpadded)
		b = append(append(f.AppendHead(b), data...), make([]byte, f.Pad)...)
		if x.tried++; at.Off+int64(len(b)) != s.site.End {
			continue
		}
		p := patch{off: at.Off, bytes: b, follow: true}
		if pr := s.prove(p); pr.proven() {
			p.why = fmt.Sprintf("the records that a segment begins with end at crc %s, which what follows continues", hex(sum))
			s.add(x, p)
		}
	}
}

// forcedStart adds the crc record of a segment before which there is none. Its checksum is what the next
// record continues, if that is intact: which is so if it is metadata that is known from elsewhere, or if the
// checksum is the stored one.
func (s *search) forcedStart(x *found, unpadded bool) {
	next, crc, ok := s.next()
	if !ok {
		return
	}
	f := wal.Frame{Kind: wal.KindCRC, CRC: crc}
	f.Fit(0, unpadded)
	if x.tried++; f.End() != s.site.End {
		return
	}
	b := append(f.AppendHead(nil), make([]byte, f.Pad)...)
	p := patch{bytes: b, follow: true, why: fmt.Sprintf("the record behind it continues crc %s", hex(crc))}
	stored := bytes.Equal(s.read(f.DataOff-int64(checksumSize), checksumSize), b[f.DataOff-checksumSize:f.DataOff])
	if !stored && !s.isIdentity(s.read(next.DataOff, min(next.DataLen, maxIdentity))) {
		return
	}
	if pr := s.prove(p); pr.proven() {
		s.add(x, p)
	}
}

// headRecord returns what is known of record n of the segment.
func (s *search) headRecord(n int) (k wal.Kind, data []byte, ok bool) {
	switch n {
	case 0:
		return wal.KindCRC, nil, true
	case 1:
		data = s.knownMetadata()
		return wal.KindMetadata, data, data != nil
	}
	if s.log.Dialect() != wal.Etcd {
		return 0, nil, false
	}
	if s.log.Segments()[s.site.Segment].Name.Seq == 0 {
		return wal.KindSnapshot, new(wal.Snapshot).AppendTo(nil, raftpb.FlavorGogo), true
	}
	if s.site.Segment == 0 {
		return 0, nil, false
	}
	data = s.lastState()
	return wal.KindState, data, data != nil
}

// lastState returns the last hard state of the segment before, nil if it has none.
func (s *search) lastState() (data []byte) {
	for r, err := range s.log.SegmentRecords(s.site.Segment - 1) {
		if s.err = s.ctx.Err(); err != nil || s.err != nil {
			return nil
		}
		if r.Kind == wal.KindState && !r.Unchecked {
			data = append(data[:0], r.Data...)
		}
	}
	return data
}
