package wal

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/raftctl/raftctl/raftpb"
)

// verdict is what was found at a place where there is no flawless frame.
type verdict struct {
	damages []Damage // in the order in which they are told
	skip    int64    // bytes that hold no record, where hasRecord is not set

	hasRecord bool // a record follows that is intact but for what the damages say
	frame     frame
	kind      Kind // of that record

	sum     uint32 // checksum of the chain after the place, if seeded
	seeded  bool
	trusted bool // the frame after the gap is proven by what follows it

	unchecked bool // the record's data could not be verified
	oneFrame  bool // the gap is the one frame, of known length
	stop      bool // nothing follows
}

// judge tells what is at off, where quick found no flawless frame. It tries the explanations that
// lose least first. An explanation counts only if a checksum proves it.
func (s *scanner) judge() verdict {
	if s.size <= s.off {
		return s.stop()
	}
	if s.off == s.trusted {
		if f, ok := s.probe.frame(s.off); ok {
			v := s.admit(f, f.crc, nil)
			v.unchecked = true
			return v
		}
	}
	for _, explain := range []func() (verdict, bool){
		s.zeros, s.brokenChain, s.wrongField, s.wrongLength, s.changedData, s.resync,
	} {
		if v, ok := explain(); ok {
			return v
		}
	}
	return s.unproven()
}

// stop is the verdict that nothing more follows.
func (s *scanner) stop() verdict {
	return verdict{sum: s.sum, seeded: s.seeded, stop: true}
}

// zeros explains off as the beginning of allocated space that was never written.
func (s *scanner) zeros() (verdict, bool) {
	if s.probe.firstNonzero(s.off, s.size) < s.size {
		return verdict{}, false
	}
	v := s.stop()
	if s.tail {
		return v, true
	}
	v.skip = s.size - s.off
	evidence := fmt.Sprintf("%d zero bytes, but only the last segment has space left", v.skip)
	if crc, ok := s.head(); ok && s.seeded {
		if crc == s.sum {
			evidence += fmt.Sprintf("; no record is missing: the next segment continues crc %08x", crc)
		} else {
			evidence += fmt.Sprintf("; records are missing: the next segment continues crc %08x, want %08x",
				crc, s.sum)
		}
	}
	v.damages = []Damage{s.damage(ClassTrailingZero, v.skip, evidence)}
	return v, true
}

func (s *scanner) head() (crc uint32, ok bool) {
	if s.nextHead == nil {
		return 0, false
	}
	return s.nextHead()
}

// damage returns a damage of n bytes at off.
func (s *scanner) damage(c Class, n int64, evidence string) Damage {
	return Damage{
		Class:    c,
		Pos:      Position{s.name, s.off},
		Len:      n,
		Before:   s.trail.last,
		Evidence: evidence,
	}
}

// brokenChain explains off as an intact crc record that doesn't continue the chain before it, or
// whose own checksum is the wrong one.
func (s *scanner) brokenChain() (verdict, bool) {
	f, ok := s.probe.frame(s.off)
	if !ok || !s.seeded || f.kind != KindCRC || f.crc == s.sum {
		return verdict{}, false
	}
	if s.proven(s.sum, f.end()) || !s.proven(f.crc, f.end()) && bytesApart(f.crc, s.sum) == 1 {
		return verdict{}, false // wrongField explains it
	}
	d := s.damage(ClassCRCChain, 0, fmt.Sprintf("crc %08x, want %08x of the records before",
		f.crc, s.sum))
	return s.admit(f, f.crc, []Damage{d}), true
}

// proven reports whether what lies at off proves that the chain before it has checksum crc: the next
// frame, or at the segment's end the head of the next segment.
func (s *scanner) proven(crc uint32, off int64) bool {
	if off == s.size {
		next, ok := s.head()
		return ok && next == crc
	}
	return s.probe.follows(crc, off)
}

// bytesApart returns in how many bytes two checksums differ.
func bytesApart(a, b uint32) int {
	n := 0
	for x := a ^ b; x != 0; x >>= 8 {
		if x&0xff != 0 {
			n++
		}
	}
	return n
}

// admit is the verdict that f is intact, but for what the damages say and what its padding and its
// type show. sum is the checksum after it.
func (s *scanner) admit(f frame, sum uint32, damages []Damage) verdict {
	v := verdict{hasRecord: true, frame: f, sum: sum, seeded: true, damages: damages}
	b, err := s.win.load(f.off, int(f.len()))
	if err != nil || int64(len(b)) < f.len() {
		s.probe.err = err
		return v
	}
	var data []byte
	if f.hasData {
		data = b[f.dataOff-f.off:][:f.dataLen]
	}
	kind, known := s.trail.kindOf(f.kind, data)
	v.kind = kind
	if kind != f.kind {
		d := s.damage(ClassKind, 1, fmt.Sprintf("type %d, but the data is that of type %d (%v)",
			f.kind, kind, kind))
		d.Pos.Off += frameHeaderSize + 1
		v.damages = append(v.damages, d)
	} else if !known {
		v.damages = append(v.damages, s.unknown(&f))
	}
	if d, found := s.padding(&f, b); found {
		v.damages = append(v.damages, d)
	}
	s.setAfter(&v, data)
	return v
}

// setAfter sets the entry that follows the damages of a verdict with a record.
func (s *scanner) setAfter(v *verdict, data []byte) {
	if len(v.damages) == 0 {
		return
	}
	after := raftpb.EntryID{}
	if v.kind == KindEntry {
		after = entryID(data)
	} else {
		after = s.probe.entryAfter(v.sum, v.frame.end())
	}
	for i := range v.damages {
		v.damages[i].After = after
	}
}

// unknown is the damage of an intact record whose type or data means nothing.
func (s *scanner) unknown(f *frame) Damage {
	if f.kind >= KindMetadata && f.kind <= KindSnapshot {
		d := s.damage(ClassMalformed, f.dataLen, fmt.Sprintf("the data is no %v, yet its crc %08x is right",
			f.kind, f.crc))
		d.Pos.Off = f.dataOff
		return d
	}
	d := s.damage(ClassUnknownKind, 1, fmt.Sprintf("type %d, want 1 to 5; crc %08x is right", f.kind, f.crc))
	d.Pos.Off += frameHeaderSize + 1
	return d
}

// padding returns the damage of padding that is not zero. b holds the frame.
func (s *scanner) padding(f *frame, b []byte) (Damage, bool) {
	lo, hi := f.len()-int64(f.pad), f.len()
	pad := b[lo:hi]
	if indexNonzero(pad) == len(pad) {
		return Damage{}, false
	}
	d := s.damage(ClassPadding, int64(f.pad), fmt.Sprintf("padding %x, want zeros; the record before it is intact", pad))
	d.Pos.Off += lo
	return d, true
}

// wrongField explains off as a frame of the right length with intact data, in which another field of
// the record is wrong. The data's place follows from the record's size: the fields before it have
// one size only for each size of the checksum.
func (s *scanner) wrongField() (verdict, bool) {
	b := s.probe.read(s.off, frameHeaderSize+maxPrefixSize)
	if !s.seeded || len(b) < frameHeaderSize+minRecordSize {
		return verdict{}, false
	}
	h := binary.LittleEndian.Uint64(b)
	size, pad := parseFrameHeader(h)
	if !isCanonicalHeader(h) || size > maxRecordSize || frameHeaderSize+size+int64(pad) > s.size-s.off {
		return verdict{}, false
	}
	record := strings.Clone(string(b[frameHeaderSize:][:min(int64(len(b)-frameHeaderSize), size)]))
	for crcSize := 1; crcSize <= 5; crcSize++ {
		for lenSize := 0; lenSize <= 4; lenSize++ {
			f := frame{off: s.off, size: size, pad: pad, kind: Kind(record[1])}
			if f.place(crcSize, lenSize) {
				if v, ok := s.wrongFieldOf(&f, record, crcSize); ok {
					return v, true
				}
			}
		}
	}
	return verdict{}, false
}

// place sets where the data lies, given the sizes of the varints before it; lenSize 0 means no data.
// ok is false if there is no such record.
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
func (s *scanner) wrongFieldOf(f *frame, record string, crcSize int) (verdict, bool) {
	sum, ok := s.probe.sum(s.sum, f.dataOff, f.dataLen)
	if !ok || uvarintSize(uint64(sum)) != crcSize {
		return verdict{}, false
	}
	want := string(f.prefix(sum))
	if len(record) < len(want) {
		return verdict{}, false
	}
	const lo = 3
	hi := lo + crcSize
	got := record[:len(want)]
	others := differences(got[:lo]+got[hi:], want[:lo]+want[hi:])
	f.crc = sum
	var damages []Damage
	if got[lo:hi] != want[lo:hi] {
		evidence, ok := s.crcEvidence(f, got[lo:hi], want[lo:hi])
		if !ok || others > 0 {
			return verdict{}, false
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
			return verdict{}, false
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
	// Changed data changes each byte of its checksum with a probability of 255 in 256.
	return evidence + "; they differ in one byte, which changed data would do once in 4 million times", differences(got, want) == 1
}

// wrongLength explains off as a whole record whose frame header is wrong.
func (s *scanner) wrongLength() (verdict, bool) {
	b := s.probe.read(s.off, frameHeaderSize+maxPrefixSize)
	if len(b) < frameHeaderSize+minRecordSize {
		return verdict{}, false
	}
	h := binary.LittleEndian.Uint64(b)
	f, ok := parseUnframed(b[frameHeaderSize:], s.off, s.size)
	if !ok || f.size > maxRecordSize || !s.wholeUnframed(&f) {
		return verdict{}, false
	}
	class, want := ClassLengthField, uint64(f.size)
	if h == 0 {
		class = ClassZeroedLength
	}
	if f.pad != 0 {
		want |= uint64(padFlag|f.pad) << padShift
	}
	d := s.damage(class, frameHeaderSize, fmt.Sprintf(
		"frame header %016x, want %016x (%d bytes): the record there is whole and continues the chain, crc %08x",
		h, want, f.size, f.crc))
	return s.admit(f, f.crc, []Damage{d}), true
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
func (s *scanner) changedData() (verdict, bool) {
	f, ok := s.probe.frame(s.off)
	if !ok || !s.seeded || !f.hasData || !s.proven(f.crc, f.end()) {
		return verdict{}, false
	}
	sum, _ := s.probe.sum(s.sum, f.dataOff, f.dataLen)
	class, evidence := ClassPayload, fmt.Sprintf(
		"crc %08x, but the data gives %08x; what follows continues the one stored", f.crc, sum)
	if first, n := s.probe.zeroSectors(f.off, f.end()); n > 0 {
		class = ClassZeroedSector
		evidence += fmt.Sprintf("; %d bytes from offset %d on are zero", n*sectorSize, first)
	}
	if id := s.probe.entryID(&f); f.kind == KindEntry && id.Index > s.trail.last.Index+1 {
		evidence += fmt.Sprintf("; the entry there says %v, after %v: perhaps a record before it is missing",
			id, s.trail.last)
	}
	d := s.damage(class, f.len(), evidence)
	d.After = s.probe.entryAfter(f.crc, f.end())
	return verdict{
		damages: []Damage{d}, skip: f.len(), oneFrame: true, sum: f.crc, seeded: true,
	}, true
}
