package wal

import (
	"fmt"

	"github.com/raftctl/raftctl/raftpb"
)

// ruling is what was found at a place where there is no flawless frame.
type ruling struct {
	damages []Finding // in the order in which they are told
	skip    int64     // bytes that hold no record, where hasRecord is not set

	hasRecord bool // a record follows that is intact but for what the damages say
	frame     frame
	kind      Kind // of that record

	sum     uint32 // checksum of the chain after the place, if seeded
	seeded  bool
	trusted bool // the frame after the gap is proven by what follows it

	unchecked bool // the record's data could not be verified
	otherForm bool // the record is intact, but encoded as no etcd does
	unlinked  bool // nothing proves that what follows continues what came before
	oneFrame  bool // the gap is the one frame, of known length
	stop      bool // nothing follows
}

// judge tells what is at off, where quick found no flawless frame. It tries the explanations that
// lose least first. An explanation counts only if a checksum proves it.
func (s *scanner) judge() ruling {
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
	for _, explain := range []func() (ruling, bool){
		s.zeros, s.unpaddedFrame, s.otherForm, s.brokenChain, s.wrongField, s.wrongHead, s.firstUnpadded, s.wrongLength,
		s.changedData, s.resync,
	} {
		if v, ok := explain(); ok {
			return v
		}
	}
	return s.unproven()
}

// stop is the ruling that nothing more follows.
func (s *scanner) stop() ruling {
	return ruling{sum: s.sum, seeded: s.seeded, stop: true}
}

// zeros explains off as the beginning of allocated space that was never written.
func (s *scanner) zeros() (ruling, bool) {
	if s.probe.firstNonzero(s.off, s.size) < s.size {
		return ruling{}, false
	}
	v := s.stop()
	if s.tail {
		return v, true
	}
	v.skip = s.size - s.off
	evidence := fmt.Sprintf("%d zero bytes, but only the last segment has space left", v.skip)
	if crc, ok := s.followingSeed(); ok && s.seeded {
		which := "no record is"
		if crc != s.sum {
			which = "records are"
		}
		evidence += fmt.Sprintf(
			"; %s missing: the next segment continues crc %08x, this one ends at %08x", which, crc, s.sum)
	}
	v.damages = []Finding{s.damage(ClassTrailingZero, v.skip, evidence)}
	return v, true
}

func (s *scanner) followingSeed() (crc uint32, ok bool) {
	if s.nextSeed == nil {
		return 0, false
	}
	return s.nextSeed()
}

// damage returns a damage of n bytes at off.
func (s *scanner) damage(c Class, n int64, evidence string) Finding {
	return Finding{
		Class:    c,
		Severity: severities[c],
		Pos:      Position{s.name, s.off},
		Len:      n,
		Before:   s.prior.last,
		Evidence: evidence,
	}
}

// brokenChain explains off as an intact crc record that doesn't continue the chain before it, or
// whose own checksum is the wrong one.
func (s *scanner) brokenChain() (ruling, bool) {
	f, ok := s.probe.frame(s.off)
	if !ok || !s.seeded || f.kind != KindCRC || f.crc == s.sum {
		return ruling{}, false
	}
	if s.proven(s.sum, f.end()) || !s.proven(f.crc, f.end()) && bytesApart(f.crc, s.sum) == 1 {
		return ruling{}, false // wrongField explains it
	}
	d := s.damage(ClassCRCChain, 0, chainText(f.crc, s.sum))
	v := s.admit(f, f.crc, []Finding{d})
	v.unlinked = true
	return v, true
}

// proven reports whether what lies at off proves that the chain before it has checksum crc: the
// next frame, or at the segment's end the head of the next segment.
func (s *scanner) proven(crc uint32, off int64) bool {
	if off == s.size {
		next, ok := s.followingSeed()
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

// admit is the ruling that f is intact, but for what the damages say and what its padding and its
// type show. sum is the checksum after it.
func (s *scanner) admit(f frame, sum uint32, damages []Finding) ruling {
	v := ruling{hasRecord: true, frame: f, sum: sum, seeded: true, damages: damages}
	b, err := s.win.load(f.off, int(f.len()))
	if err != nil || int64(len(b)) < f.len() {
		s.probe.err = err
		return v
	}
	var data []byte
	if f.hasData {
		data = b[f.dataOff-f.off:][:f.dataLen]
	}
	kind, known := s.kinds.kindOf(&s.prior, f.kind, data)
	v.kind = kind
	if kind != f.kind {
		d := s.damage(ClassKind, 1, fmt.Sprintf("type %d, but the data is that of type %d (%s)",
			f.kind, kind, s.kinds.KindName(kind)))
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

// setAfter sets the entry that follows the damages of a ruling with a record.
func (s *scanner) setAfter(v *ruling, data []byte) {
	if len(v.damages) == 0 {
		return
	}
	var after raftpb.EntryID
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
func (s *scanner) unknown(f *frame) Finding {
	if s.kinds.row(f.kind) != nil {
		d := s.damage(ClassMalformed, f.dataLen, fmt.Sprintf(
			"the data is no %s, yet its crc %08x is right", s.kinds.KindName(f.kind), f.crc))
		d.Pos.Off = f.dataOff
		return d
	}
	d := s.damage(ClassUnknownKind, 1, fmt.Sprintf(
		"type %d, want %s; crc %08x is right", f.kind, s.kinds.numbers(), f.crc))
	d.Pos.Off += frameHeaderSize + 1
	return d
}

// padding returns the damage of padding that is not zero. b holds the frame.
func (s *scanner) padding(f *frame, b []byte) (Finding, bool) {
	lo, hi := f.len()-int64(f.pad), f.len()
	pad := b[lo:hi]
	if indexNonzero(pad) == len(pad) {
		return Finding{}, false
	}
	d := s.damage(ClassPadding, int64(f.pad), fmt.Sprintf(
		"padding %x, want zeros; the record before it is intact", pad))
	d.Pos.Off += lo
	return d, true
}
