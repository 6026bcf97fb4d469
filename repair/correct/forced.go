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
		}
		if !s.site.Chained && s.site.Before.Records() < 2 {
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
		b = frameBytes(b, kind, sum, data, unpadded)
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

// forcedStart adds the crc record of a segment before which there is none, and the metadata. The checksums
// are those from which the next record continues, if that is intact: which is so if it is metadata that is
// known from elsewhere, or if one of the checksums is the stored one.
func (s *search) forcedStart(x *found, unpadded bool) {
	next, sum, ok := s.next()
	if !ok {
		return
	}
	head, data := frameBytes(nil, wal.KindCRC, sum, nil, unpadded), s.knownMetadata()
	x.tried++
	if int64(len(head)) == s.site.End {
		known := data != nil && bytes.Equal(data, s.read(next.DataOff, min(next.DataLen, maxIdentity)))
		if known || s.isStored(head, 0) {
			s.addStart(x, head, sum)
		}
		return
	}
	if data == nil {
		return
	}
	first := before(sum, crc32.Checksum(data, castagnoli), int64(len(data)))
	head = frameBytes(nil, wal.KindCRC, first, nil, unpadded)
	n := len(head)
	head = frameBytes(head, wal.KindMetadata, sum, data, unpadded)
	if int64(len(head)) == s.site.End && (s.isStored(head, 0) || s.isStored(head, n)) {
		s.addStart(x, head, sum)
	}
}

func (s *search) addStart(x *found, head []byte, sum uint32) {
	p := patch{bytes: head, follow: true, why: fmt.Sprintf("what follows continues crc %s", hex(sum))}
	if pr := s.proveFrom(p, wal.Reached{}); pr.proven() {
		s.add(x, p)
	}
}

// isStored reports whether the checksum of the frame at off in the segment's head is the one that is stored
// there.
func (s *search) isStored(head []byte, off int) bool {
	want := head[off+checksumAt:]
	want = want[:min(checksumSize, len(want))]
	return bytes.Equal(s.read(int64(off+checksumAt), int64(len(want))), want)
}

// frameBytes appends the frame of a record.
func frameBytes(b []byte, k wal.Kind, crc uint32, data []byte, unpadded bool) []byte {
	f := wal.Frame{Kind: k, CRC: crc, HasData: data != nil}
	f.Fit(int64(len(data)), unpadded)
	return append(append(f.AppendHead(b), data...), make([]byte, f.Pad)...)
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
