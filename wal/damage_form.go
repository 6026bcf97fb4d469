package wal

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// What lies at a place may be intact and yet not as etcd 3 writes it. Only a matching checksum
// makes it so.

// unpaddedFrame explains off as a frame without padding, as etcd 2.x wrote them. The header of a
// padded frame may have lost the bits that say so; what tells the two apart is where the next frame
// begins.
func (s *scanner) unpaddedFrame() (ruling, bool) {
	if s.probe.unpadded {
		return ruling{}, false // load and quick know by now
	}
	b := s.probe.read(s.off, frameHeaderSize+maxPrefixSize)
	f, ok := parseFrame(b, s.off, s.size, true)
	if !ok || isCanonicalHeader(binary.LittleEndian.Uint64(b)) {
		return ruling{}, false
	}
	own := s.seeded && s.probe.chains(s.sum, &f) || !s.seeded && f.off == 0 && f.kind == KindCRC
	s.probe.unpadded = true
	if !own || !s.proven(f.crc, f.end()) && !s.goesOnUnpadded(f) {
		s.probe.unpadded = false
		return ruling{}, false
	}
	return s.admit(f, f.crc, nil), true
}

// goesOnUnpadded reports whether the damage behind a frame without padding ends sooner than it would if the
// frame had some: the next frame that proves itself is one that only a segment without padding has.
func (s *scanner) goesOnUnpadded(f frame) bool {
	off, sum, seeded := s.off, s.sum, s.seeded
	s.sum, s.seeded = f.crc, true
	next := func(unpadded bool, end int64) int64 {
		s.probe.unpadded, s.off = unpadded, end
		if s.proven(f.crc, end) {
			return end
		}
		if c, ok := s.search(); ok && c.proof != "" {
			return c.frame.off
		}
		return s.size
	}
	padded := next(false, alignUp(f.end(), frameAlign))
	bare := next(true, f.end())
	s.off, s.sum, s.seeded = off, sum, seeded
	return bare < padded
}

// firstUnpadded explains off as a damaged frame without padding, where nothing has told so far that the
// segment holds such. What tells it is where the next frame begins.
func (s *scanner) firstUnpadded() (ruling, bool) {
	b := s.probe.read(s.off, frameHeaderSize+maxPrefixSize)
	if s.probe.unpadded || !s.seeded || len(b) < frameHeaderSize+minRecordSize {
		return ruling{}, false
	}
	h := binary.LittleEndian.Uint64(b)
	f, whole := parseUnframed(b[frameHeaderSize:], s.off, s.size, true)
	s.probe.unpadded = true
	var explain []func() (ruling, bool)
	if isUnpaddedHeader(h) && !isCanonicalHeader(h) {
		explain = append(explain, s.wrongField, s.changedData)
	}
	if _, ok := s.probe.frame(f.end()); ok && whole && f.size%frameAlign != 0 {
		explain = append(explain, s.wrongLength)
	}
	for _, explain := range explain {
		v, ok := explain()
		if ok && (v.oneFrame || s.proven(v.sum, v.frame.end())) {
			return v, true
		}
	}
	s.probe.unpadded = false
	return ruling{}, false
}

// otherForm explains off as a frame whose record holds the fields of one, each once, in another
// order or with longer varints than any etcd writes. Every reader takes it for what it says.
func (s *scanner) otherForm() (ruling, bool) {
	b := s.probe.read(s.off, frameHeaderSize)
	if !s.seeded || len(b) < frameHeaderSize {
		return ruling{}, false
	}
	f := frame{off: s.off}
	var ok bool
	f.size, f.pad, ok = s.probe.header(binary.LittleEndian.Uint64(b))
	if !ok || f.size > maxUnproven || f.len() > s.size-s.off {
		return ruling{}, false
	}
	record, err := s.win.load(s.off, int(f.len()))
	if err != nil || int64(len(record)) < f.len() {
		s.probe.err = err
		return ruling{}, false
	}
	record = record[frameHeaderSize:][:f.size]
	if _, _, _, ok := parseRecord(record); ok || !f.parseFields(record) || f.kind == KindCRC {
		return ruling{}, false
	}
	if !s.probe.proves(s.sum, &f) {
		return ruling{}, false
	}
	v := s.admit(f, f.crc, nil)
	v.otherForm = true
	return v, true
}

// parseFields fills in what a record says of itself, whatever the order of its fields. ok is false
// unless each field is there once, and no other.
func (f *frame) parseFields(record []byte) (ok bool) {
	seen := 0
	for off := 0; off < len(record); {
		num, wire, n := protowire.ConsumeTag(record[off:])
		if n < 0 || num > 3 || seen&(1<<num) != 0 {
			return false
		}
		seen |= 1 << num
		off += n
		switch {
		case num < 3 && wire == protowire.VarintType:
			v, m := protowire.ConsumeVarint(record[off:])
			if m < 0 || num == 1 && v > uint64(KindSnapshot) || v > math.MaxUint32 {
				return false
			}
			if num == 1 {
				f.kind = Kind(v)
			} else {
				f.crc = uint32(v)
			}
			off += m
		case num == 3 && wire == protowire.BytesType:
			data, m := protowire.ConsumeBytes(record[off:])
			if m < 0 {
				return false
			}
			off += m
			f.hasData, f.dataLen = true, int64(len(data))
			f.dataOff = f.off + frameHeaderSize + int64(off-len(data))
		default:
			return false
		}
	}
	const all = 1<<1 | 1<<2 | 1<<3
	return seen == all
}
