package repairtest

import (
	"fmt"

	"github.com/raftctl/raftctl/wal"
)

// endDamages are of the end of the log. They ignore at which place they are wanted.
var endDamages = []damage{
	{"torn at a sector", atEnd(func(t *site) (lesion, bool) {
		f := t.seg.frames[t.index]
		from := (f.lo()/sectorSize + 1) * sectorSize
		if from >= f.hi() {
			return lesion{}, false
		}
		clear(t.file.b[from:t.seg.end()])
		return t.end(fmt.Sprintf("zeros from %d on", from), from, wal.ClassTorn), true
	})},
	{"torn at a sector, with its beginning", atEnd(func(t *site) (lesion, bool) {
		f := t.seg.frames[t.index]
		to := (f.lo()/sectorSize + 1) * sectorSize
		if to >= f.hi() || t.index < len(t.seg.frames)-1 {
			return lesion{}, false
		}
		clear(t.file.b[f.lo():to])
		return t.end(fmt.Sprintf("zeros from %d up to %d", f.lo(), to), f.lo(), wal.ClassTorn, wal.ClassZeroedSector,
			wal.ClassZeroedLength), true
	})},
	{"cut within a frame", atEnd(func(t *site) (lesion, bool) {
		at := t.frame.lo() + 8 + t.rng.IntN(t.frame.hi()-t.frame.lo()-8)
		t.file.cut(at)
		return t.end(fmt.Sprintf("cut at %d", at), at, wal.ClassTorn), true
	})},
	{"cut within a header", atEnd(func(t *site) (lesion, bool) {
		at := t.frame.lo() + 1 + t.rng.IntN(7)
		t.file.cut(at)
		return t.end(fmt.Sprintf("cut at %d", at), at, wal.ClassTorn, wal.ClassEtcdStart), true
	})},
	{"cut between frames", atEnd(func(t *site) (lesion, bool) {
		t.file.cut(t.frame.lo())
		return t.end(fmt.Sprintf("cut at %d", t.frame.lo()), t.frame.lo()), true
	})},
	{"zeros from a frame on", atEnd(func(t *site) (lesion, bool) {
		clear(t.file.b[t.frame.lo():])
		return t.end(fmt.Sprintf("zeros from %d on", t.frame.lo()), t.frame.lo()), true
	})},
	{"rubbish behind the end", atEnd(func(t *site) (lesion, bool) {
		end, n := t.seg.end(), 1+t.rng.IntN(600)
		if t.file.b = t.file.b[:end]; t.rng.IntN(2) == 0 {
			t.file.b = append(t.file.b, make([]byte, 8*t.rng.IntN(200))...)
		}
		lo := len(t.file.b)
		t.file.b = append(append(t.file.b, rubbish(t.rng, n)...), make([]byte, 8*t.rng.IntN(200))...)
		t.file.b[lo] |= 1
		t.file.spans[0].hi = end
		l := t.end(fmt.Sprintf("%d bytes at %d", n, lo), end, wal.ClassGarbage, wal.ClassTorn, wal.ClassFrameLength)
		l.hi = len(t.file.b)
		return l, true
	})},
	{"old frames behind the end", atEnd(func(t *site) (lesion, bool) {
		s := t.segs[t.rng.IntN(len(t.segs))]
		end := t.seg.end()
		t.file.b = append(append(t.file.b[:end], make([]byte, 8*(1+t.rng.IntN(100)))...), s.b[:s.end()]...)
		t.file.spans[0].hi = end
		l := t.end("frames of the log itself", end, wal.ClassGarbage, wal.ClassTorn, wal.ClassForeign, wal.ClassZeroedSector,
			wal.ClassCorrupt, wal.ClassZeroedLength)
		l.hi = len(t.file.b)
		return alien(l, true)
	})},
	{"no space behind the end", atEnd(func(t *site) (lesion, bool) {
		if len(t.seg.b) == t.seg.end() {
			return lesion{}, false
		}
		t.file.cut(t.seg.end())
		return t.end("cut behind the last frame", t.seg.end()), true
	})},
}

// atEnd moves a damage to one of the last frames of the log.
func atEnd(do func(t *site) (lesion, bool)) func(t *site) (lesion, bool) {
	return func(t *site) (lesion, bool) {
		t, ok := t.site(lastSegment)
		if !ok || len(t.seg.frames) < 4 {
			return lesion{}, false
		}
		t.pick(len(t.seg.frames) - 1 - t.rng.IntN(min(3, len(t.seg.frames)-3)))
		return do(t)
	}
}

// end is a lesion from an offset on.
func (t *site) end(what string, lo int, want ...wal.Class) lesion {
	l := t.lesion(what, lo, lo, want...)
	l.hi, l.wide = len(t.seg.b), true
	return l
}
