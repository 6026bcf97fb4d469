package repairtest

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/raftctl/raftctl/wal"
)

// flipBit flips a bit in a part of a frame.
func flipBit(p part) func(t *site) (lesion, bool) {
	return func(t *site) (lesion, bool) {
		return t.change(p, func(b []byte) {
			b[t.rng.IntN(len(b))] ^= 1 << t.rng.IntN(8)
		}, true)
	}
}

// otherByte makes a byte of a part another one, in more than a bit.
func otherByte(p part) func(t *site) (lesion, bool) {
	return func(t *site) (lesion, bool) {
		return t.change(p, func(b []byte) {
			one := 1 + t.rng.IntN(7)
			b[t.rng.IntN(len(b))] ^= 1<<one | byte(1+t.rng.IntN(1<<one-1))
		}, false)
	}
}

// change changes bytes of a part of a frame that has it.
func (t *site) change(p part, do func(b []byte), bit bool) (lesion, bool) {
	if !t.pickWith(func(f *frame) bool { lo, hi := f.span(p); return lo < hi }) {
		return lesion{}, false
	}
	lo, hi := t.frame.span(p)
	do(t.file.b[lo:hi])
	l := t.lesion(fmt.Sprintf("%s of %v record at %d", p, t.frame.kind, t.frame.lo()), lo, hi, t.classes(p)...)
	l.bit = bit
	l.wide = t.index < headFrames // what is behind may then be missed
	return l, true
}

// classes returns what may be found where a part of the site's frame is another one.
func (t *site) classes(p part) []wal.Class {
	list := append([]wal.Class(nil), partClasses[p]...)
	if p == partCRC && t.index == 0 {
		list = append(list, wal.ClassPayload) // of the metadata: nothing tells which of the two it is
	}
	zeros := hasZeroSector(t.file.b, t.frame)
	if zeros {
		list = append(list, wal.ClassZeroedSector)
	}
	if !t.lastOfAll() {
		return list
	}
	if p == partHead || p == partData || p == partCRC {
		list = append(list, wal.ClassCRCMismatch)
	}
	if zeros {
		list = append(list, wal.ClassTorn)
	}
	return list
}

// headFrames is how many frames make the head of a segment, at least.
const headFrames = 2

const (
	sectorSize = 512
	pageSize   = 4096
)

// hasZeroSector reports whether a sector's share of a frame is zero, which is how etcd tells that a frame
// was never written whole.
func hasZeroSector(b []byte, f *frame) bool {
	for lo := f.lo() + 8; lo < f.hi(); {
		hi := min((lo/sectorSize+1)*sectorSize, f.hi())
		if len(bytes.Trim(b[lo:hi], "\x00")) == 0 {
			return true
		}
		lo = hi
	}
	return false
}

// fieldDamages change whole fields of a frame.
var fieldDamages = []damage{
	{"header zeroed", func(t *site) (lesion, bool) {
		clear(t.file.b[t.frame.lo():][:8])
		return t.field("header", wal.ClassZeroedLength), true
	}},
	{"size beyond the file", func(t *site) (lesion, bool) {
		binary.LittleEndian.PutUint64(t.file.b[t.frame.lo():], uint64(len(t.file.b))+t.rng.Uint64N(1<<40))
		return t.field("header", wal.ClassLengthField), true
	}},
	{"header of rubbish", func(t *site) (lesion, bool) {
		copy(t.file.b[t.frame.lo():], rubbish(t.rng, 8))
		return t.field("header", wal.ClassLengthField), true
	}},
	{"size of another frame", func(t *site) (lesion, bool) {
		other := t.seg.frames[t.rng.IntN(len(t.seg.frames))]
		h := t.seg.b[other.lo():][:8]
		if bytes.Equal(h, t.seg.b[t.frame.lo():][:8]) {
			return lesion{}, false
		}
		copy(t.file.b[t.frame.lo():], h)
		return t.field("header", wal.ClassLengthField), true
	}},
	{"another type", func(t *site) (lesion, bool) {
		lo, _ := t.frame.span(partKind)
		for was := t.seg.b[lo]; t.file.b[lo] == was; {
			t.file.b[lo] = byte(t.rng.IntN(7))
		}
		return t.field("type", wal.ClassKind), true
	}},
	{"another checksum", func(t *site) (lesion, bool) {
		if !t.pickWith(func(f *frame) bool { lo, hi := f.span(partCRC); return hi-lo == 5 }) {
			return lesion{}, false
		}
		lo, hi := t.frame.span(partCRC)
		for i := lo; i < hi-1; i++ {
			t.file.b[i] = byte(t.rng.Uint32()) | 0x80
		}
		return t.field("checksum", t.classes(partCRC)...), true
	}},
	{"a word of the data", func(t *site) (lesion, bool) {
		return t.change(partData, func(b []byte) {
			at := t.rng.IntN(len(b))
			w := b[at:min(at+2+t.rng.IntN(3), len(b))]
			for was := bytes.Clone(w); bytes.Equal(was, w); {
				copy(w, rubbish(t.rng, len(w)))
			}
		}, false)
	}},
	{"some of the data", func(t *site) (lesion, bool) {
		return t.change(partData, func(b []byte) {
			at := t.rng.IntN(len(b))
			copy(b[at:], rubbish(t.rng, 5+t.rng.IntN(100)))
			b[at] ^= 1
		}, false)
	}},
	{"header and data", func(t *site) (lesion, bool) {
		if len(t.frame.data) == 0 {
			return lesion{}, false
		}
		_, hi := t.frame.span(partData)
		t.file.b[t.frame.lo()+t.rng.IntN(2)] ^= 0x55
		t.file.b[hi-1] ^= 0x2a
		return t.field("header and data", lossClasses...), true
	}},
	{"all but the data", func(t *site) (lesion, bool) {
		lo, _ := t.frame.span(partHead)
		copy(t.file.b[t.frame.lo():lo], rubbish(t.rng, lo-t.frame.lo()))
		return t.field("header, tags, checksum and length", lossClasses...), true
	}},
}

// field is the lesion of damage in a frame.
func (t *site) field(what string, want ...wal.Class) lesion {
	l := t.lesion(fmt.Sprintf("%s of %v record at %d", what, t.frame.kind, t.frame.lo()), t.frame.lo(), t.frame.lo()+1, want...)
	l.wide = t.index < headFrames || t.index == len(t.seg.frames)-1
	if t.lastOfAll() {
		l.want = append(l.want, wal.ClassTorn, wal.ClassGarbage)
	}
	return l
}

// lossClasses are what may be found where bytes are gone that nothing tells any more.
var lossClasses = []wal.Class{
	wal.ClassCorrupt, wal.ClassFrameLength, wal.ClassZeroedSector, wal.ClassPayload, wal.ClassCRCMismatch, wal.ClassPrefix,
	wal.ClassLengthField, wal.ClassZeroedLength, wal.ClassSegmentHead, wal.ClassTruncated, wal.ClassTrailingZero,
}
