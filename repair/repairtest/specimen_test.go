package repairtest

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/wal"
)

// specimen is a member that is being damaged.
type specimen struct {
	*member // as it was

	rng     *rand.Rand
	donors  []*member
	files   []*file           // the segments, in the order of their names
	others  map[string][]byte // the rest of the data directory, by path
	lesions []lesion
}

// file is a segment as it is now.
type file struct {
	name  string
	b     []byte
	spans []span // in ascending order: the bytes that came from the healthy log, changed or not
}

// span says where the bytes from lo up to hi of a file lay in the healthy log.
type span struct{ lo, hi, seg, off int }

// lesion is one damage: what is true about it.
type lesion struct {
	what   string
	want   []wal.Class // one of these has to be found; none: nothing in the log tells of it
	file   string
	lo, hi int  // the frames that it touches
	wide   bool // anything may be found besides
	moved  bool // segments lie where they don't belong, or there are some that don't
	alien  bool // frames are missing without a trace, or some are there that aren't the log's
	claims bool // it makes believe that there were entries behind the end
	bit    bool // it is a single bit of a frame
}

func newSpecimen(rng *rand.Rand, m *member, donors []*member) *specimen {
	s := &specimen{member: m, rng: rng, donors: donors, others: map[string][]byte{}}
	m.beside(s.others)
	for i, seg := range m.segs {
		s.files = append(s.files, &file{name: seg.name.String(), b: bytes.Clone(seg.b), spans: []span{{0, len(seg.b), i, 0}}})
	}
	return s
}

// dir returns the data directory as it is now.
func (s *specimen) dir() map[string][]byte {
	files := map[string][]byte{}
	for name, b := range s.others {
		files[name] = b
	}
	for _, f := range s.files {
		files[walDir+f.name] = f.b
	}
	return files
}

// sort puts the files in the order of their names again.
func (s *specimen) sort() {
	slices.SortStableFunc(s.files, func(a, b *file) int { return strings.Compare(a.name, b.name) })
}

// intact returns the frames of which every byte is still there, in a row.
func (s *specimen) intact() map[*frame]bool {
	whole := map[*frame]bool{}
	for _, f := range s.files {
		for _, p := range f.spans {
			seg := s.segs[p.seg]
			for _, fr := range seg.frames {
				if fr.lo() < p.off || fr.hi() > p.off+p.hi-p.lo {
					continue
				}
				at := p.lo + fr.lo() - p.off
				if bytes.Equal(f.b[at:at+fr.hi()-fr.lo()], seg.b[fr.lo():fr.hi()]) {
					whole[fr] = true
				}
			}
		}
	}
	return whole
}

// remove takes bytes out of a file.
func (f *file) remove(lo, hi int) {
	f.b = slices.Delete(f.b, lo, hi)
	var spans []span
	for _, p := range f.spans {
		if p.lo < lo {
			spans = append(spans, span{p.lo, min(p.hi, lo), p.seg, p.off})
		}
		if p.hi > hi {
			from := max(p.lo, hi)
			spans = append(spans, span{from - (hi - lo), p.hi - (hi - lo), p.seg, p.off + from - p.lo})
		}
	}
	f.spans = spans
}

// cut ends a file.
func (f *file) cut(at int) { f.remove(at, len(f.b)) }

// insert puts bytes into a file.
func (f *file) insert(at int, b []byte) {
	f.b = slices.Insert(f.b, at, b...)
	var spans []span
	for _, p := range f.spans {
		if p.lo < at {
			spans = append(spans, span{p.lo, min(p.hi, at), p.seg, p.off})
		}
		if p.hi > at {
			from := max(p.lo, at)
			spans = append(spans, span{from + len(b), p.hi + len(b), p.seg, p.off + from - p.lo})
		}
	}
	f.spans = spans
}

// repeat puts bytes in that the healthy log has where they go, and the file has no more or once more.
func (f *file) repeat(at int, b []byte) {
	seg := f.spans[0].seg
	f.insert(at, b)
	f.spans = append(f.spans, span{at, at + len(b), seg, at})
	slices.SortFunc(f.spans, func(a, b span) int { return a.lo - b.lo })
}

// replace puts other contents into a file.
func (f *file) replace(b []byte) { f.b, f.spans = bytes.Clone(b), nil }

// site is a place in a specimen that nothing else has been done to: a segment, and a frame in it.
type site struct {
	*specimen
	file  *file
	seg   *segment
	frame *frame
	index int  // of the frame in its segment
	last  bool // the segment is the last one
}

// lesion is one at the frames that the bytes from lo up to hi belong to, and the one behind them.
func (t *site) lesion(what string, lo, hi int, want ...wal.Class) lesion {
	l := lesion{what: what, file: t.file.name, lo: lo, hi: hi, want: want}
	for i, f := range t.seg.frames {
		if f.lo() <= lo && lo < f.hi() {
			l.lo = f.lo()
		}
		if f.lo() < hi && hi <= f.hi() {
			l.hi = f.hi()
			if i+1 < len(t.seg.frames) {
				l.hi = t.seg.frames[i+1].hi()
			}
		}
	}
	return l
}

// lastOfAll reports whether no frame comes behind the site's: nothing proves what the damaged one was.
func (t *site) lastOfAll() bool { return t.last && t.index == len(t.seg.frames)-1 }
