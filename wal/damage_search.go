package wal

import (
	"encoding/binary"
	"fmt"

	"github.com/raftctl/raftctl/internal/datadir"
)

// candidate is a frame behind damage.
type candidate struct {
	frame  frame
	proof  string // what proves it; empty if nothing does
	sum    uint32 // checksum of the chain before it, if seeded
	seeded bool
}

// resync explains off as a gap that ends at the next frame that proves itself.
func (s *scanner) resync() (ruling, bool) {
	c, ok := s.search()
	if !ok || c.proof == "" {
		if c, ok = s.searchUnpadded(); !ok {
			return ruling{}, false
		}
	}
	f := &c.frame
	class, evidence := s.explainGap(f.off)
	d := s.damage(class, f.off-s.off, fmt.Sprintf("%s; %s", evidence, c.proof))
	d.After = s.probe.entryAfter(f.crc, f.end())
	if f.kind == KindEntry {
		d.After = s.probe.entryID(f)
	}
	return ruling{
		damages: []Finding{d}, skip: f.off - s.off, sum: c.sum, seeded: c.seeded, trusted: !c.seeded,
		unlinked: !s.seeded || !c.seeded || c.sum != s.sum,
	}, true
}

// search returns the first frame after off that proves itself, or else the first one that is whole
// but unproven. ok is false if there is neither.
func (s *scanner) search() (found candidate, ok bool) {
	known := s.knownSums()
	lo := s.off + frameHeaderSize
	if s.probe.unpadded {
		lo = s.off + 1
	}
	if !s.seeded {
		lo = s.off
	}
	for off := range s.candidates(lo) {
		f, whole := s.probe.frame(off)
		if !whole {
			continue
		}
		c := s.prove(f, known)
		if c.proof != "" && (c.seeded || !s.partlyZero(&f)) {
			return c, true
		}
		if c.proof != "" {
			known = append(known, f.crc) // its checksum is right, but its data can't be
		}
		if s.probe.exhausted || s.probe.err != nil {
			break
		}
		if !ok {
			found, ok = candidate{frame: f}, true
		}
	}
	return found, ok
}

// searchUnpadded is search where the segment may be one of etcd 2.x that is damaged at its head:
// nothing has told so far that its frames have no padding.
func (s *scanner) searchUnpadded() (found candidate, ok bool) {
	const head = 2 // records of a segment's head: one of them would have told
	if s.probe.unpadded || s.prior.n >= head || s.probe.exhausted {
		return candidate{}, false
	}
	s.probe.unpadded = true
	found, _ = s.search()
	s.probe.unpadded = found.proof != ""
	return found, s.probe.unpadded
}

// partlyZero reports whether whole sectors of f are zero. Data can hold that many zeros, but behind
// damage, where it can't be checked, it is more likely a part of the damage.
func (s *scanner) partlyZero(f *frame) bool {
	_, n := s.probe.zeroSectors(f.off, f.end())
	return n > 0
}

// knownSums returns the checksums from which a frame after the damage may continue: that of the
// records before, and the one stored in the damaged frame.
func (s *scanner) knownSums() []uint32 {
	var known []uint32
	if s.seeded {
		known = append(known, s.sum)
	}
	if b := s.probe.read(s.off, frameHeaderSize+maxPrefixSize); len(b) > frameHeaderSize {
		if _, crc, n := parsePrefix(b[frameHeaderSize:]); n > 0 {
			known = append(known, crc)
		}
	}
	return known
}

// prove says what proves f, if anything does. A frame without data proves nothing but that four
// bytes are equal; etcd writes such records only at the head of a segment.
func (s *scanner) prove(f frame, known []uint32) candidate {
	if f.dataLen > 0 {
		for _, crc := range known {
			if s.probe.chains(crc, &f) {
				proof := fmt.Sprintf("the record at offset %d continues crc %08x", f.off, crc)
				return candidate{f, proof, crc, true}
			}
		}
	}
	if !s.proven(f.crc, f.end()) {
		return candidate{frame: f}
	}
	return candidate{frame: f, proof: fmt.Sprintf(
		"what follows the record at offset %d continues its crc %08x; its data can't be checked",
		f.off, f.crc)}
}

// candidates yields the offsets from lo on where a frame may begin: where there are a header and
// the first bytes of a record. Nearly all other bytes are told apart by that.
func (s *scanner) candidates(lo int64) func(yield func(int64) bool) {
	const need = frameHeaderSize + minRecordSize
	step := frameAlign
	if s.probe.unpadded {
		step = 1
	}
	return func(yield func(int64) bool) {
		buf := make([]byte, min(windowSize, max(s.size-lo, 0)))
		for s.probe.err == nil {
			n, _ := s.file.ReadAt(buf[:min(int64(len(buf)), max(s.size-lo, 0))], lo)
			if n < need {
				return
			}
			b := buf[:n]
			for i := 0; i+need <= n; i += step {
				if s.mayBegin(b[i:]) && !yield(lo+int64(i)) {
					return
				}
			}
			lo += int64((n-need)/step*step + step)
		}
	}
}

// mayBegin reports whether a frame of one of the dialect's kinds may begin with b.
func (s *scanner) mayBegin(b []byte) bool {
	if b[8] != tagRecordType || b[10] != tagRecordCRC || s.kinds.row(Kind(b[9])) == nil {
		return false
	}
	_, _, ok := s.probe.header(binary.LittleEndian.Uint64(b))
	return ok
}

// explainGap returns the class of the bytes from off to end, and what was found at their beginning.
func (s *scanner) explainGap(end int64) (Class, string) {
	class, evidence := s.explainFrame()
	if first, n := s.probe.zeroSectors(s.off, end-sectorSize+1); n > 0 {
		return ClassZeroedSector, fmt.Sprintf("%s; %d bytes from offset %d on are zero",
			evidence, n*sectorSize, first)
	}
	return class, evidence
}

// explainFrame tells what keeps the bytes at off from being an intact frame.
func (s *scanner) explainFrame() (Class, string) {
	class, evidence := s.explainHeader()
	if s.off != 0 {
		return class, evidence
	}
	switch c := datadir.Sniff(s.probe.read(0, probeChunk)); c {
	case datadir.ContentOther, datadir.ContentSegment, datadir.ContentText:
	default: // somebody put it in the segment's place
		evidence = fmt.Sprintf("the file is %v; %s", c, evidence)
	}
	return class, evidence
}

func (s *scanner) explainHeader() (Class, string) {
	b := s.probe.read(s.off, frameHeaderSize+maxPrefixSize)
	rest := s.size - s.off
	if len(b) < frameHeaderSize {
		return ClassCorrupt, fmt.Sprintf("%d bytes, a frame header has %d", len(b), frameHeaderSize)
	}
	h := binary.LittleEndian.Uint64(b)
	size, pad, ok := s.probe.header(h)
	switch {
	case h == 0:
		return ClassZeroedLength, "length 0"
	case !ok:
		return ClassFrameLength, fmt.Sprintf(
			"frame header %016x: length %d and padding %d don't go together", h, size, h>>padShift)
	case frameHeaderSize+size+int64(pad) > rest:
		return ClassFrameLength, fmt.Sprintf(
			"length %d, but %d bytes remain", size, rest-frameHeaderSize)
	case size > maxRecordSize:
		return ClassFrameLength, fmt.Sprintf("length %d, limit %d", size, maxRecordSize)
	}
	f, ok := parseFrame(b, s.off, s.size, s.probe.unpadded)
	if !ok {
		return ClassCorrupt, fmt.Sprintf("record of %d bytes begins with %x: not a record's fields",
			size, b[frameHeaderSize:])
	}
	if !s.seeded {
		return ClassSegmentHead, fmt.Sprintf(
			"begins with a record of type %d, want a crc record", f.kind)
	}
	sum, ok := s.probe.sum(s.sum, f.dataOff, f.dataLen)
	if !ok {
		return ClassCRCMismatch, fmt.Sprintf("crc %08x could not be checked", f.crc)
	}
	return ClassCRCMismatch, fmt.Sprintf("crc %08x, but the data gives %08x", f.crc, sum)
}

// unproven is the ruling on bytes behind which no record proves itself: the rest of the segment.
func (s *scanner) unproven() ruling {
	end := min(alignUp(s.probe.lastNonzero(s.off, s.size), frameAlign), s.size)
	class, evidence := s.explainFrame()
	class, evidence = s.explainEnd(class, evidence, end)
	v := s.stop()
	if !s.tail {
		end = s.size // zeros count as well: a finished segment has none at its end
	}
	v.skip = end - s.off
	v.damages = []Finding{s.damage(class, v.skip, evidence)}
	return v
}

// explainEnd refines what explainFrame says of bytes up to end, after which there are only zeros.
func (s *scanner) explainEnd(class Class, evidence string, end int64) (Class, string) {
	found, whole := s.search()
	if s.probe.exhausted {
		evidence += fmt.Sprintf(
			"; the search for records ended early, after checksums over %d times the segment",
			budgetFactor)
	}
	if whole {
		evidence += fmt.Sprintf("; a record at offset %d looks whole, but nothing proves it",
			found.frame.off)
	}
	first, zeroed := s.probe.zeroSectors(s.off, max(end, s.frameEnd()))
	if zeroed > 0 {
		evidence += fmt.Sprintf("; %d bytes from offset %d on are zero", zeroed*sectorSize, first)
	}
	switch {
	case !s.tail:
		if s.cutOff() {
			class = ClassTruncated
		}
		return class, evidence
	case s.probe.exhausted:
		return class, evidence
	}
	if how := s.torn(end, whole); how != "" {
		return ClassTorn, evidence + how
	}
	if whole {
		return class, evidence
	}
	if class == ClassZeroedLength || s.probe.firstNonzero(s.off+frameHeaderSize, s.size) == s.size {
		class = ClassGarbage
	}
	return class, evidence
}

// frameEnd returns where the frame at off ends by its header, or off if that can't be.
func (s *scanner) frameEnd() int64 {
	b := s.probe.read(s.off, frameHeaderSize)
	if len(b) < frameHeaderSize {
		return s.off
	}
	size, pad, ok := s.probe.header(binary.LittleEndian.Uint64(b))
	end := s.off + frameHeaderSize + size + int64(pad)
	if !ok || end > s.size {
		return s.off
	}
	return end
}
