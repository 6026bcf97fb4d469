package logs

import (
	"cmp"
	"slices"
	"sort"

	"github.com/raftctl/raftctl/raftpb"
)

// sequence is the terms of the entries that are known to be committed.
//
// Invariant: links ascend in index and in term, and don't overlap.
type sequence []link

// link is a row of committed entries of one term.
type link struct {
	first, last, term uint64
	span              *span // the one that has them; nil if no log need hold it, which is one entry then
	by                Mark  // what it is known by
}

// build puts together what a committer found. The error is a *ConflictError if it is not one history.
func (q *sequence) build(c *committer) error {
	var all []link
	for _, x := range c.spans {
		for _, t := range x.committed() {
			all = append(all, link{t.first, t.last, t.term, x, x.by})
		}
	}
	for _, m := range c.points {
		all = append(all, link{m.Index, m.Index, m.Term, nil, m})
	}
	slices.SortStableFunc(all, func(a, b link) int { return cmp.Compare(a.first, b.first) })
	for _, l := range all {
		if err := q.add(l); err != nil {
			return err
		}
	}
	return nil
}

// add adds a link that begins at or behind the first entry of the last one.
func (q *sequence) add(l link) error {
	s := *q
	for i := len(s) - 1; i >= 0; i-- {
		if s[i].last < l.first {
			break
		}
		if s[i].term != l.term {
			at := max(s[i].first, l.first)
			return &ConflictError{Index: at, Sides: [2]Side{s[i].side(at), l.side(at)}}
		}
	}
	if n := len(s); n > 0 {
		p := &s[n-1]
		if p.last >= l.last {
			if p.span == nil && l.span != nil && p.first == l.first {
				s[n-1] = l
			}
			return nil
		}
		if l.first = max(l.first, p.last+1); p.term > l.term {
			return &ConflictError{Index: p.last, Sides: [2]Side{p.side(p.last), l.side(l.first)}}
		}
	}
	*q = append(s, l)
	return nil
}

func (l *link) side(index uint64) Side {
	by := l.by
	side := Side{Mark: Mark{raftpb.EntryID{Term: l.term, Index: index}, l.by.Source, l.by.By}, By: &by}
	if l.span != nil {
		side.Source, side.Held = l.span.source, true
		side.locate()
	}
	return side
}

// termAt returns the term of a committed entry.
func (q sequence) termAt(index uint64) (uint64, bool) {
	i := sort.Search(len(q), func(i int) bool { return q[i].last >= index })
	if i == len(q) || q[i].first > index {
		return 0, false
	}
	return q[i].term, true
}
