package logs

import (
	"context"
	"sort"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// pollEvery is how many records are read before asking whether to stop.
const pollEvery = 1024

// gather finds out what the log knows as committed. Of a log in which nothing is wrong, its last hard state
// says it; another one is read a second time, since which hard state counts for which entries depends on
// where the damage lies.
func (s *Source) gather(ctx context.Context) error {
	if s.View.Sound {
		s.addState(s.View.State)
		return nil
	}
	s.prints = newPrints()
	g := gatherer{Source: s}
	n := 0
	for rec, err := range s.Log.Records(wal.Inspect) {
		if n++; n%pollEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			break // it is damage to the view, and nothing behind it is known
		}
		g.record(rec)
	}
	return ctx.Err()
}

// addState adds what a hard state says. Of one term only the highest commit counts.
func (s *Source) addState(st raftpb.HardState) {
	if st.Commit == 0 {
		return
	}
	n := len(s.states)
	switch {
	case n > 0 && s.states[n-1].index >= st.Commit: // said before, of a lower term or the same
	case n > 0 && s.states[n-1].term == st.Term:
		s.states[n-1].index = st.Commit
	default:
		s.states = append(s.states, stateMark{st.Term, st.Commit})
	}
}

// gatherer goes through the records of a log in which something is wrong.
type gatherer struct {
	*Source
	entry raftpb.Entry
	state raftpb.HardState

	// Since the last damage: where the terms begin among the entries that are held without a gap, and the
	// index of the last entry. Empty if there is none.
	terms []raftpb.EntryID
	last  uint64
}

func (g *gatherer) record(rec *wal.Record) {
	switch {
	case rec.Kind == wal.KindDamage, rec.Unchecked, g.View.Foreign(rec.Pos):
		g.terms = g.terms[:0]
	case rec.Kind == wal.KindEntry:
		g.takeEntry(rec)
	case rec.Kind == wal.KindState && g.state.Unmarshal(rec.Data) == nil:
		g.takeState()
	}
}

func (g *gatherer) takeEntry(rec *wal.Record) {
	id := rec.ID
	if id.Index == 0 || g.entry.UnmarshalAlias(rec.Data) != nil {
		g.terms = g.terms[:0]
		return
	}
	if g.View.Live(rec.Pos, id.Index) {
		g.prints.add(&g.entry)
	}
	if id.Index > g.last+1 {
		g.terms = g.terms[:0]
	}
	for n := len(g.terms); n > 0 && g.terms[n-1].Index >= id.Index; n-- {
		g.terms = g.terms[:n-1]
	}
	if n := len(g.terms); n == 0 || g.terms[n-1].Term != id.Term {
		g.terms = append(g.terms, id)
	}
	g.last = id.Index
}

// takeState takes in a hard state. Of an entry that lies before it without damage between, it is known
// that it is the very one that was committed.
func (g *gatherer) takeState() {
	g.addState(g.state)
	c := g.state.Commit
	if len(g.terms) == 0 || c < g.terms[0].Index || c > g.last {
		return
	}
	i := sort.Search(len(g.terms), func(i int) bool { return g.terms[i].Index > c }) - 1
	if x := g.spanOf(c); x != nil && x.termAt(c) == g.terms[i].Term {
		g.addKnown(Mark{raftpb.EntryID{Term: g.terms[i].Term, Index: c}, g.Source, ByState})
	}
}

// addKnown adds an entry that is known to be committed. Of a row of one term in one span the last is enough.
func (g *gatherer) addKnown(m Mark) {
	n := len(g.known)
	if n > 0 && g.known[n-1].Term == m.Term && g.spanOf(g.known[n-1].Index) == g.spanOf(m.Index) {
		if g.known[n-1].Index < m.Index {
			g.known[n-1] = m
		}
		return
	}
	g.known = append(g.known, m)
}
