package logs

import (
	"sort"

	"github.com/raftctl/raftctl/wal"
)

// span is a range of a log in which nothing is missing and nothing in doubt.
//
// Invariant: terms ascend, follow each other without a gap, and cover first to last.
type span struct {
	source      *Source
	first, last uint64
	terms       []stretch
	final       bool // the log ends with it

	upTo uint64 // known to be committed up to here; below first if nothing is
	by   Mark   // what that is known by
}

// stretch is a part of a span with entries of one term.
type stretch struct {
	first, last, term uint64
	pos               wal.Position // of the first entry of the term's stretch in the log, at or before first
}

// spansOf returns the spans of a log.
func spansOf(s *Source) (spans []span) {
	v, at := s.View, 0
	for _, r := range v.Ranges {
		x := span{source: s, first: r.First, last: r.Last, upTo: r.First - 1}
		for ; at < len(v.Terms); at++ {
			t := &v.Terms[at]
			last := t.Index + t.N - 1
			if t.Index > r.Last {
				break
			}
			if last < r.First {
				continue
			}
			x.terms = append(x.terms, stretch{max(t.Index, r.First), min(last, r.Last), t.Term, t.Pos})
			if last > r.Last {
				break
			}
		}
		x.final = r.Last == v.LastIndex()
		spans = append(spans, x)
	}
	return spans
}

// lastTerm returns the term of the last entry.
func (x *span) lastTerm() uint64 { return x.terms[len(x.terms)-1].term }

// has reports whether the span holds an entry.
func (x *span) has(index uint64) bool { return x.first <= index && index <= x.last }

// termAt returns the term of an entry that the span holds.
func (x *span) termAt(index uint64) uint64 {
	i := sort.Search(len(x.terms), func(i int) bool { return x.terms[i].last >= index })
	return x.terms[i].term
}

// committed returns the stretches of the span that are known to be committed.
func (x *span) committed() (out []stretch) {
	for _, t := range x.terms {
		if t.first > x.upTo {
			break
		}
		t.last = min(t.last, x.upTo)
		out = append(out, t)
	}
	return out
}

// spanOf returns the span of the log that holds an entry, nil if there is none.
func (s *Source) spanOf(index uint64) *span {
	i := sort.Search(len(s.spans), func(i int) bool { return s.spans[i].last >= index })
	if i == len(s.spans) || !s.spans[i].has(index) {
		return nil
	}
	return &s.spans[i]
}
