package wal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/raftctl/raftctl/internal/wirefield"
)

// wrongField explains off as a frame of the right length with intact data, in which another field
// of the record is wrong. The data's place follows from the record's size: the fields before it
// have one size only for each size of the checksum.
func (s *scanner) wrongField() (ruling, bool) {
	b := s.probe.read(s.off, frameHeaderSize+maxPrefixSize)
	if !s.seeded || len(b) < frameHeaderSize+minRecordSize {
		return ruling{}, false
	}
	h := binary.LittleEndian.Uint64(b)
	size, pad, ok := s.probe.header(h)
	end := s.off + frameHeaderSize + size + int64(pad)
	if !ok || size > maxRecordSize || end > s.size {
		return ruling{}, false
	}
	record := strings.Clone(string(b[frameHeaderSize:][:min(int64(len(b)-frameHeaderSize), size)]))
	for crcSize := 1; crcSize <= 5; crcSize++ {
		for lenSize := 0; lenSize <= maxLenSize; lenSize++ {
			f := frame{off: s.off, size: size, pad: pad, kind: Kind(record[1])}
			if f.place(crcSize, lenSize) {
				if v, ok := s.wrongFieldOf(&f, record, crcSize); ok {
					return v, true
				}
			}
		}
	}
	return ruling{}, false
}

// wrongHead explains off as the crc record that a log begins with whose first segments are gone: nothing
// tells its checksum but itself, and what follows must continue that. Its tags are wrong, or its
// type.
func (s *scanner) wrongHead() (ruling, bool) {
	const lo = 3 // where the checksum begins
	b := s.probe.read(s.off, frameHeaderSize+maxPrefixSize)
	if s.seeded || s.off != 0 || len(b) < frameHeaderSize+minRecordSize {
		return ruling{}, false
	}
	size, pad, ok := s.probe.header(binary.LittleEndian.Uint64(b))
	record := b[frameHeaderSize:]
	if !ok || size <= lo || size > int64(len(record)) {
		return ruling{}, false
	}
	record = bytes.Clone(record[:size])
	crc, n := wirefield.MinimalUvarint(record[lo:])
	f := frame{size: size, pad: pad, kind: Kind(record[1]), crc: uint32(crc)}
	if crc > math.MaxUint32 || n == 0 || !f.place(n, 0) || !s.proven(f.crc, f.end()) {
		return ruling{}, false
	}
	want := f.prefix(f.crc)
	if bytes.Equal(record, want) {
		return s.admit(f, f.crc, nil), f.kind != KindCRC
	}
	d := s.damage(ClassPrefix, size, fmt.Sprintf(
		"record begins with %x, want %x; what follows continues its crc %08x", record, want, f.crc))
	d.Pos.Off += frameHeaderSize
	return s.admit(f, f.crc, []Finding{d}), true
}

// place sets where the data lies, given the sizes of the varints before it; lenSize 0 means no
// data. ok is false if there is no such record.
func (f *frame) place(crcSize, lenSize int) (ok bool) {
	n := int64(3 + crcSize)
	if lenSize == 0 {
		f.dataOff = f.off + frameHeaderSize + n
		return n == f.size
	}
	n += 1 + int64(lenSize)
	f.hasData, f.dataLen = true, f.size-n
	f.dataOff = f.off + frameHeaderSize + n
	return f.dataLen >= 0 && uvarintSize(uint64(f.dataLen)) == lenSize
}

// wrongFieldOf compares the fields before the data of f with what they must be.
func (s *scanner) wrongFieldOf(f *frame, record string, crcSize int) (ruling, bool) {
	sum, ok := s.probe.sum(s.sum, f.dataOff, f.dataLen)
	if !ok || uvarintSize(uint64(sum)) != crcSize {
		return ruling{}, false
	}
	want := string(f.prefix(sum))
	if len(record) < len(want) {
		return ruling{}, false
	}
	const lo = 3
	hi := lo + crcSize
	got := record[:len(want)]
	others := differences(got[:lo]+got[hi:], want[:lo]+want[hi:])
	f.crc = sum
	var damages []Finding
	if got[lo:hi] != want[lo:hi] {
		evidence, ok := s.crcEvidence(f, got[lo:hi], want[lo:hi])
		if !ok || others > 0 {
			return ruling{}, false
		}
		d := s.damage(ClassCRCField, int64(crcSize), evidence)
		d.Pos.Off += frameHeaderSize + lo
		damages = append(damages, d)
		if v, n := binary.Uvarint([]byte(record[lo:])); n > 0 {
			f.crc = uint32(v)
		}
	}
	if others > 0 {
		// Without data, the checksum proves little: it may be four zeros among others.
		bare := f.dataLen == 0 && (others > 1 || f.kind != KindCRC)
		if bare && !s.proven(sum, f.end()) {
			return ruling{}, false
		}
		d := s.damage(ClassPrefix, int64(len(want)), fmt.Sprintf(
			"record begins with %x, want %x; its data continues crc %08x", got, want, s.sum))
		d.Pos.Off += frameHeaderSize
		damages = append(damages, d)
	}
	return s.admit(*f, sum, damages), true
}

// differences returns in how many bytes two strings of the same length differ.
func differences(a, b string) int {
	n := 0
	for i := range len(a) {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

// prefix returns what must precede the data of f in the record. Its type is taken as it is.
func (f *frame) prefix(crc uint32) []byte {
	p := []byte{tagRecordType, byte(f.kind), tagRecordCRC}
	p = binary.AppendUvarint(p, uint64(crc))
	if f.hasData {
		p = binary.AppendUvarint(append(p, tagRecordData), uint64(f.dataLen))
	}
	return p
}

// crcEvidence tells what proves that a stored checksum is wrong and not the data. ok is false if
// nothing does.
func (s *scanner) crcEvidence(f *frame, got, want string) (evidence string, ok bool) {
	evidence = fmt.Sprintf("stored crc %x, want %x (as varints; %08x)", got, want, f.crc)
	if s.proven(f.crc, f.end()) {
		return evidence + "; what follows continues the one computed", true
	}
	// Changed data changes each byte of its checksum with a probability of 255 in 256. That proves
	// something where there is data, and where there are bytes that stayed the same.
	return evidence + "; they differ in one byte, other data would differ in all four",
		f.dataLen > 0 && len(want) > 3 && differences(got, want) == 1
}

// wrongLength explains off as a whole record whose frame header is wrong.
func (s *scanner) wrongLength() (ruling, bool) {
	b := s.probe.read(s.off, frameHeaderSize+maxPrefixSize)
	if len(b) < frameHeaderSize+minRecordSize {
		return ruling{}, false
	}
	h := binary.LittleEndian.Uint64(b)
	f, ok := parseUnframed(b[frameHeaderSize:], s.off, s.size, s.probe.unpadded)
	if !ok || f.size > maxRecordSize || !s.wholeUnframed(&f) {
		return ruling{}, false
	}
	if s.probe.unpadded && !s.proven(f.crc, f.end()) {
		s.pad(&f)
	}
	class, want := ClassLengthField, uint64(f.size)
	if h == 0 {
		class = ClassZeroedLength
	}
	if f.pad != 0 {
		want |= uint64(padFlag|f.pad) << padShift
	}
	d := s.damage(class, frameHeaderSize, fmt.Sprintf(
		"frame header %016x, want %016x: the record of %d bytes there is whole, its data gives its crc %08x",
		h, want, f.size, f.crc))
	return s.admit(f, f.crc, []Finding{d}), true
}

// pad gives a frame the padding that a later etcd wrote, which went on with the segment, if that is where
// the next frame is.
func (s *scanner) pad(f *frame) {
	padded := *f
	padded.pad = padding(f.size)
	if s.proven(f.crc, padded.end()) {
		*f = padded
	}
}

// wholeUnframed reports whether a record found without regard to its header is proven.
func (s *scanner) wholeUnframed(f *frame) bool {
	if !s.seeded {
		return f.off == 0 && f.kind == KindCRC && s.proven(f.crc, f.end())
	}
	return (f.hasData || f.crc != 0 || f.off == 0) && s.probe.chains(s.sum, f)
}

// changedData explains off as a frame of which only the data is wrong: what follows continues from
// the checksum that it stores.
func (s *scanner) changedData() (ruling, bool) {
	f, ok := s.probe.frame(s.off)
	if !ok || !s.seeded || !f.hasData || !s.proven(f.crc, f.end()) {
		return ruling{}, false
	}
	sum, _ := s.probe.sum(s.sum, f.dataOff, f.dataLen)
	if s.leavesStrayChain(&f) {
		d := s.damage(ClassCRCChain, 0, fmt.Sprintf("crc %08x, but the data gives %08x behind "+
			"records that continue no checksum of the log; it can't be checked", f.crc, sum))
		v := s.admit(f, f.crc, []Finding{d})
		v.unchecked, v.unlinked = true, true
		return v, true
	}
	class, evidence := ClassPayload, fmt.Sprintf(
		"crc %08x, but the data gives %08x; what follows continues the one stored", f.crc, sum)
	if first, n := s.probe.zeroSectors(f.off, f.end()); n > 0 {
		class = ClassZeroedSector
		evidence += fmt.Sprintf("; %d bytes from offset %d on are zero", n*sectorSize, first)
	}
	if id := s.probe.entryID(&f); f.kind == KindEntry && id.Index > s.prior.last.Index+1 {
		evidence += fmt.Sprintf("; it says index %d, after %d: is a record before it missing?",
			id.Index, s.prior.last.Index)
	}
	d := s.damage(class, f.len(), evidence)
	d.After = s.probe.entryAfter(f.crc, f.end())
	return ruling{
		damages: []Finding{d}, skip: f.len(), oneFrame: true, sum: f.crc, seeded: true, unlinked: true,
	}, true
}

// leavesStrayChain reports whether f is an entry that doesn't go on from the records before it, which
// nothing proves to be the log's, but from those before them: then it is they that don't belong
// here, and f need not be damaged.
func (s *scanner) leavesStrayChain(f *frame) bool {
	if !s.stray || f.kind != KindEntry || f.dataLen > maxUnproven {
		return false
	}
	id := s.probe.entryID(f)
	return id.Index > s.before.Index && id.Term >= s.before.Term &&
		id.Index != s.prior.last.Index+1 && id.Index != s.prior.snapshot+1 && s.probe.entryAfter(f.crc, f.end()).Index == id.Index+1
}
