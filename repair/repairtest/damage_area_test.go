package repairtest

import (
	"bytes"
	"fmt"

	"github.com/raftctl/raftctl/wal"
)

// areaDamages change runs of bytes, whatever frames they belong to.
var areaDamages = []damage{
	{"sector zeroed", zeroed(sectorSize, 1)},
	{"sectors zeroed", zeroed(sectorSize, 4)},
	{"page zeroed", zeroed(pageSize, 1)},
	{"sector of rubbish", filled(sectorSize)},
	{"page of rubbish", filled(pageSize)},
	{"run over a sector's border", across(sectorSize)},
	{"run over a page's border", across(pageSize)},
	{"sector from elsewhere", func(t *site) (lesion, bool) {
		lo, hi, ok := t.block(sectorSize, 1)
		from := t.rng.IntN(t.seg.end()/sectorSize+1) * sectorSize
		if !ok || from+hi-lo > len(t.seg.b) {
			return lesion{}, false
		}
		return alien(t.overwrite(lo, t.seg.b[from:from+hi-lo]))
	}},
	{"frame taken out", func(t *site) (lesion, bool) {
		if t.lastOfAll() {
			return lesion{}, false
		}
		l := t.field("frame", append([]wal.Class{wal.ClassCRCChain, wal.ClassRecordOrder}, lossClasses...)...)
		t.file.remove(t.frame.lo(), t.frame.hi())
		l.wide = true
		return alien(l, true)
	}},
	{"frame twice", func(t *site) (lesion, bool) {
		if t.lastOfAll() || len(t.frame.data) == 0 {
			return lesion{}, false
		}
		t.file.repeat(t.frame.lo(), t.seg.b[t.frame.lo():t.frame.hi()])
		l := t.field("frame", append([]wal.Class{wal.ClassForeign}, lossClasses...)...)
		l.wide, l.hi = true, l.hi+t.frame.hi()-t.frame.lo()
		return alien(l, true)
	}},
	{"bytes taken out", func(t *site) (lesion, bool) {
		lo := t.frame.lo()
		hi := min(lo+8*(1+t.rng.IntN(6)), t.seg.end())
		if t.last && hi == t.seg.end() {
			return lesion{}, false
		}
		l := t.lesion(fmt.Sprintf("%d..%d", lo, hi), lo, hi, append([]wal.Class{wal.ClassForeign}, lossClasses...)...)
		t.file.remove(lo, hi)
		l.wide, l.want = true, append(l.want, wal.ClassTorn, wal.ClassGarbage, wal.ClassCRCChain,
			wal.ClassRecordOrder)
		return alien(l, true)
	}},
	{"frames of another log", func(t *site) (lesion, bool) {
		if len(t.donors) == 0 {
			return lesion{}, false
		}
		d := t.donors[t.rng.IntN(len(t.donors))]
		seg := d.segs[t.rng.IntN(len(d.segs))]
		from := seg.frames[t.rng.IntN(len(seg.frames))]
		to := min(from.lo()+50+t.rng.IntN(1000), seg.end())
		return alien(t.overwrite(t.frame.lo(), seg.b[from.lo():to]))
	}},
}

// alien notes that frames are missing or are others.
func alien(l lesion, ok bool) (lesion, bool) {
	l.alien = true
	return l, ok
}

// block returns where a block of n units at most lies that holds bytes of the site's frame.
func (t *site) block(unit, n int) (lo, hi int, ok bool) {
	lo = (t.frame.lo() + t.rng.IntN(t.frame.hi()-t.frame.lo())) / unit * unit
	hi = min(lo+unit*(1+t.rng.IntN(n)), t.seg.end())
	return lo, hi, true
}

func zeroed(unit, n int) func(t *site) (lesion, bool) {
	return func(t *site) (lesion, bool) {
		lo, hi, ok := t.block(unit, n)
		if !ok {
			return lesion{}, false
		}
		return t.overwrite(lo, make([]byte, hi-lo))
	}
}

func filled(unit int) func(t *site) (lesion, bool) {
	return func(t *site) (lesion, bool) {
		lo, hi, ok := t.block(unit, 1)
		if !ok {
			return lesion{}, false
		}
		return t.overwrite(lo, rubbish(t.rng, hi-lo))
	}
}

// across fills some bytes before and behind the border of two units.
func across(unit int) func(t *site) (lesion, bool) {
	return func(t *site) (lesion, bool) {
		border := (t.frame.lo()/unit + 1) * unit
		lo := max(border-1-t.rng.IntN(30), 0)
		hi := min(border+1+t.rng.IntN(30), t.seg.end())
		if border >= t.seg.end() {
			return lesion{}, false
		}
		return t.overwrite(lo, rubbish(t.rng, hi-lo))
	}
}

// overwrite puts bytes over a part of the segment's frames.
func (t *site) overwrite(lo int, b []byte) (lesion, bool) {
	hi := min(lo+len(b), t.seg.end())
	if bytes.Equal(t.file.b[lo:hi], b[:hi-lo]) {
		return lesion{}, false
	}
	copy(t.file.b[lo:hi], b)
	if zeros := len(bytes.Trim(t.file.b[lo:hi], "\x00")) == 0; zeros && t.last && hi == t.seg.end() {
		return t.end(fmt.Sprintf("%d..%d", lo, hi), lo), true // it may be where the log ends by chance
	}
	l := t.lesion(fmt.Sprintf("%d..%d", lo, hi), lo, hi, lossClasses...)
	l.want = append(l.want, wal.ClassForeign, wal.ClassCRCField, wal.ClassPadding, wal.ClassKind, wal.ClassUnknownKind, wal.ClassEmptySegment)
	if l.wide = true; t.last && hi == t.seg.end() || t.last && len(bytes.Trim(t.file.b[lo:hi], "\x00")) == 0 {
		l.want = append(l.want, wal.ClassTorn, wal.ClassGarbage)
	}
	return l, true
}
