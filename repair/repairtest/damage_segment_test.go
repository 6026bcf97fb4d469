package repairtest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/wal"
)

// segmentDamages are of whole segments.
var segmentDamages = []damage{
	{"segment cut within a frame", func(t *site) (lesion, bool) {
		if t.last {
			return lesion{}, false
		}
		at := t.frame.lo() + 1 + t.rng.IntN(t.frame.hi()-t.frame.lo()-1)
		t.file.cut(at)
		return t.rest(fmt.Sprintf("cut at %d", at), t.frame.lo(), wal.ClassTruncated), true
	}},
	{"segment cut between frames", func(t *site) (lesion, bool) {
		if t.last || t.index == 0 {
			return lesion{}, false
		}
		t.file.cut(t.frame.lo())
		l := t.rest(fmt.Sprintf("cut at %d", t.frame.lo()), t.frame.lo(), wal.ClassCRCChain)
		return l, true
	}},
	{"segment without a byte", func(t *site) (lesion, bool) {
		t.file.cut(0)
		return t.rest("no byte", 0, wal.ClassEmptySegment), true
	}},
	{"segment of zeros", func(t *site) (lesion, bool) {
		clear(t.file.b)
		return t.rest("zeros", 0, wal.ClassEmptySegment, wal.ClassTrailingZero), true
	}},
	{"segment missing", func(t *site) (lesion, bool) {
		if len(t.files) == 1 {
			return lesion{}, false
		}
		l := t.rest("missing", 0, wal.ClassMissingSegment)
		switch {
		case t.last:
			l.want = nil
		case t.seg == t.segs[0]:
			l.want, l.file = []wal.Class{wal.ClassPurged, wal.ClassEtcdStart, wal.ClassIndexGap}, ""
		}
		t.drop()
		return l, true
	}},
	{"segment twice", func(t *site) (lesion, bool) {
		name := wal.SegmentName{Seq: t.seg.name.Seq, Index: t.seg.name.Index + 1 + t.rng.Uint64N(50)}
		t.add(name, t.seg.b[:t.seg.end()])
		l := t.rest("also as "+name.String(), 0, wal.ClassSegmentOrder)
		l.file, l.moved = name.String(), true
		return l, true
	}},
	{"segment again at the end", func(t *site) (lesion, bool) {
		name := t.segs[len(t.segs)-1].name
		name.Seq++
		t.add(name, t.seg.b)
		l := t.rest("also as "+name.String(), 0, wal.ClassCRCChain)
		l.file, l.moved = "", true
		return l, true
	}},
	{"segment of another member", func(t *site) (lesion, bool) {
		if len(t.segs) == 1 {
			return lesion{}, false
		}
		for _, d := range t.donors {
			i := slices.IndexFunc(d.segs, func(s *segment) bool { return s.name.Seq == t.seg.name.Seq })
			if i >= 0 {
				t.file.replace(d.segs[i].b)
				l := t.rest("of "+d.name, 0, wal.ClassMetadata, wal.ClassCRCChain)
				l.file, l.moved = "", true
				return l, true
			}
		}
		return lesion{}, false
	}},
	{"segments swapped", func(t *site) (lesion, bool) {
		o, ok := t.site(place(t.rng.IntN(int(places))))
		if !ok || o.file == t.file {
			return lesion{}, false
		}
		t.file.b, o.file.b, t.file.spans, o.file.spans = o.file.b, t.file.b, o.file.spans, t.file.spans
		l := t.rest("with "+o.file.name, 0, wal.ClassCRCChain)
		l.file, l.moved = "", true
		return l, true
	}},
	{"segment with another index in its name", func(t *site) (lesion, bool) {
		name := t.seg.name
		if name.Index += 1 + t.rng.Uint64N(1000); name.Seq == 0 {
			return lesion{}, false
		}
		t.file.name = name.String()
		l := t.rest("was "+t.seg.name.String(), 0, wal.ClassNameIndex)
		l.moved = true
		if l.file = t.file.name; t.seg == t.segs[0] {
			l.want = nil // it may have been so, before what is purged
		}
		return l, true
	}},
	{"segment with a name in capitals", func(t *site) (lesion, bool) {
		base, _ := strings.CutSuffix(t.file.name, ".wal")
		name := strings.ToUpper(base) + ".wal"
		if name == t.file.name {
			return lesion{}, false
		}
		t.file.name = name
		l := t.rest("was "+t.seg.name.String(), 0, wal.ClassOddName)
		l.file, l.moved = "", true
		return l, true
	}},
	{"segment with a later number in its name", func(t *site) (lesion, bool) {
		name := t.segs[len(t.segs)-1].name
		name.Seq += 1 + t.rng.Uint64N(3)
		if name.Index = t.seg.name.Index; t.last {
			return lesion{}, false
		}
		t.file.name = name.String()
		l := t.rest("was "+t.seg.name.String(), 0, wal.ClassMissingSegment, wal.ClassCRCChain, wal.ClassPurged)
		l.file, l.moved = "", true
		return l, true
	}},
	{"zeros behind a segment", func(t *site) (lesion, bool) {
		if t.last {
			return lesion{}, false
		}
		t.file.b = append(t.file.b, make([]byte, 8*(1+t.rng.IntN(600)))...)
		return t.rest("zeros behind it", t.seg.end(), wal.ClassTrailingZero), true
	}},
	{"rubbish behind a segment", func(t *site) (lesion, bool) {
		if t.last {
			return lesion{}, false
		}
		t.file.b = append(append(t.file.b, byte(1+t.rng.IntN(255))), rubbish(t.rng, t.rng.IntN(600))...)
		return t.rest("rubbish behind it", t.seg.end(), append([]wal.Class{wal.ClassGarbage}, lossClasses...)...), true
	}},
	{"end and beginning of two segments", func(t *site) (lesion, bool) {
		if t.last {
			return lesion{}, false
		}
		i := slices.Index(t.files, t.file)
		if i+1 >= len(t.files) {
			return lesion{}, false
		}
		n := 1 + t.rng.IntN(30)
		copy(t.file.b[len(t.file.b)-n:], rubbish(t.rng, n))
		copy(t.files[i+1].b, rubbish(t.rng, 1+t.rng.IntN(60)))
		l := t.rest("rubbish", t.seg.frames[len(t.seg.frames)-1].lo(),
			append([]wal.Class{wal.ClassCRCChain, wal.ClassPadding}, lossClasses...)...)
		return l, true
	}},
	{"segment without its head", func(t *site) (lesion, bool) {
		t.file.remove(0, t.seg.frames[t.rng.IntN(2)].hi())
		return alien(t.rest("head", 0, wal.ClassSegmentHead, wal.ClassRecordOrder, wal.ClassPayload,
			wal.ClassCRCMismatch), true)
	}},
	{"metadata of another member", func(t *site) (lesion, bool) {
		if len(t.segs) == 1 {
			return lesion{}, false
		}
		var meta wal.Metadata
		if err := meta.Unmarshal(t.seg.frames[1].data); err != nil {
			return lesion{}, false
		}
		meta.NodeID++
		t.file.replace(t.seg.rechained(meta.AppendTo(nil)))
		l := t.rest("whole segment", 0, wal.ClassMetadata)
		l.file, l.moved = "", true
		return l, true
	}},
}

// rechained returns the segment with other metadata, and with the checksums that go with it.
func (s *segment) rechained(metadata []byte) (b []byte) {
	sum := s.frames[0].crc
	for _, f := range s.frames {
		data := f.data
		if f.kind == wal.KindMetadata {
			data = metadata
		}
		sum = update(sum, data)
		b = appendFrame(b, f.kind, sum, data)
	}
	return append(b, make([]byte, len(s.b)-s.end())...)
}

// rest is a lesion from an offset on to the end of the segment, or the head of the next.
func (t *site) rest(what string, lo int, want ...wal.Class) lesion {
	l := t.lesion(what, lo, lo, want...)
	l.hi, l.wide = max(len(t.seg.b), len(t.file.b)), true
	return l
}

// drop removes the site's file.
func (t *site) drop() {
	t.files = slices.DeleteFunc(t.files, func(f *file) bool { return f == t.file })
}

// add adds a copy of something as a segment.
func (t *site) add(name wal.SegmentName, b []byte) {
	t.files = append(t.files, &file{name: name.String(), b: bytes.Clone(b)})
}
