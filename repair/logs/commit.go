package logs

import (
	"cmp"
	"slices"
	"sort"

	"github.com/raftctl/raftctl/raftpb"
)

// committer finds out which entries of which logs are known to be committed, from what each log knows of
// its own and Raft's promises about those of others.
type committer struct {
	spans  []*span
	points []Mark          // what logs know of entries, held or not
	marks  map[uint64]Mark // by term: the last entry that is known to be committed
	states []sourceState   // by term; the index never goes back: see newCommitter
}

type sourceState struct {
	stateMark
	source *Source
}

func newCommitter(sources []*Source) *committer {
	c := &committer{marks: map[uint64]Mark{}}
	for _, s := range sources {
		for _, x := range s.spans { // a copy: a source may be joined again
			c.spans = append(c.spans, &x)
		}
		for _, m := range s.states {
			c.states = append(c.states, sourceState{m, s})
		}
		c.points = append(c.points, s.known...)
		if m := s.applied(); m.Index > 0 {
			c.points = append(c.points, m)
		}
	}
	c.points = append(c.points, byMajority(sources)...)
	slices.SortStableFunc(c.states, func(a, b sourceState) int { return cmp.Compare(a.term, b.term) })
	for i := 1; i < len(c.states); i++ { // what was committed before a term still is in it
		if before := c.states[i-1]; before.index > c.states[i].index {
			c.states[i].index, c.states[i].source = before.index, before.source
		}
	}
	return c
}

// applied returns what the member's database has applied. Where that has no term, the log's own counts, if
// nothing is wrong with it.
func (s *Source) applied() Mark {
	m := Mark{s.Applied, s, ByApplied}
	if x := s.spanOf(m.Index); m.Term == 0 && x != nil && s.View.Sound {
		m.Term = x.termAt(m.Index)
	}
	if m.Index == 0 || m.Term == 0 {
		return Mark{}
	}
	return m
}

// run goes on until nothing new follows. Each round makes some span known further, mostly in one or two.
func (c *committer) run() {
	for _, m := range c.points {
		c.raise(m)
	}
	for _, x := range c.spans {
		if st := x.source.View.State; x.source.View.Sound {
			c.extend(x, min(x.last, st.Commit), Mark{raftpb.EntryID{Index: st.Commit}, x.source, ByState})
		}
	}
	for again := true; again; {
		again = false
		for _, x := range c.spans {
			again = c.follow(x) || again
		}
	}
}

// raise takes in that an entry is committed, and so all before it in the log of its term's leader.
func (c *committer) raise(m Mark) {
	if m.Index > c.marks[m.Term].Index {
		c.marks[m.Term] = m
	}
}

// extend takes in that a span is committed up to an index.
func (c *committer) extend(x *span, upTo uint64, by Mark) bool {
	if upTo <= x.upTo || upTo < x.first {
		return false
	}
	x.upTo, x.by = upTo, by
	for _, t := range x.committed() {
		c.raise(Mark{raftpb.EntryID{Term: t.term, Index: t.last}, by.Source, by.By})
	}
	return true
}

// follow finds out how far a span is known to be committed.
//
// Entries of one index and term are the same in all logs, with all before them: a span is the beginning
// of the log of each leader whose entries it holds, up to the last of those. So it is committed up to
// there as far as that leader's log is.
func (c *committer) follow(x *span) (more bool) {
	upTo, by := x.upTo, Mark{}
	take := func(index uint64, m Mark) {
		if index > upTo {
			upTo, by = index, m
		}
	}
	for _, t := range x.terms {
		if m, ok := c.marks[t.term]; ok && m.Index >= t.first {
			take(min(t.last, m.Index), m)
		}
	}
	if i := sort.Search(len(c.states), func(i int) bool { return c.states[i].term > x.lastTerm() }); i > 0 {
		st := c.states[i-1]
		take(min(x.last, st.index), Mark{raftpb.EntryID{Index: st.index}, st.source, ByState})
	}
	return c.extend(x, upTo, by)
}

// highest returns the last entry that anything knows to be committed. A hard state may know of one that no log
// holds.
func (c *committer) highest() (best Mark) {
	better := func(m Mark) {
		if m.Index > best.Index || m.Index == best.Index && best.Term == 0 && m.Term > 0 {
			best = m
		}
	}
	for _, x := range c.spans {
		if x.upTo >= x.first {
			better(Mark{raftpb.EntryID{Term: x.termAt(x.upTo), Index: x.upTo}, x.by.Source, x.by.By})
		}
	}
	for _, m := range c.points {
		better(m)
	}
	for _, st := range c.states {
		better(Mark{raftpb.EntryID{Index: st.index}, st.source, ByState})
	}
	return best
}
