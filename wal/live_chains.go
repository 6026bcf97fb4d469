package wal

import (
	"fmt"

	"github.com/raftctl/raftctl/raftpb"
)

// A chain is a stretch of records of one segment, each of which continues the checksum of the one
// before; damage that takes a checksum with it ends the chain. A chain that begins with the
// segment's head belongs to the log, and so does one that the next segment's head continues. Of
// others nothing proves it: the bytes may be those of another log, which a faulty disk or a person
// put there. What such a chain says must then go with what was before it and what comes behind it;
// if it doesn't, it is foreign, and neither overwrites, commits nor ends anything.
type chain struct {
	seg    int
	events []event
	linked bool  // the segment's head, or that of the next one, proves that it belongs to the log
	class  Class // of the finding at its head that tells why records may be missing before it
	lost   int64 // bytes of damage, or of a foreign chain, between it and the chain before
	to     place // where it ends: at the next chain, or the next segment
}

const (
	// minEntryFrame is the size in bytes of the smallest frame that holds an entry, or a little less.
	minEntryFrame = 16

	// minSnapshotFrame is that of one that holds a snapshot record. One from the leader lets the next
	// entry have any index.
	minSnapshotFrame = 32
)

// chainsOf returns the chains of segment k.
func chainsOf(k int, events []event) (out []chain) {
	lookAhead(events)
	for lo := 0; lo < len(events); {
		hi := lo + 1
		for hi < len(events) && (events[hi].kind != eventBreak || events[hi].linked) {
			hi++
		}
		first := &events[lo]
		c := chain{seg: k, events: events[lo:hi], to: place{seg: k + 1}}
		if c.linked = first.kind == eventHead; !c.linked {
			c.lost = first.damage.Len
		}
		if hi < len(events) {
			c.to = events[hi].at
		}
		out = append(out, c)
		lo = hi
	}
	return out
}

// bearing is what a stretch of the log says that its neighbours must go with.
type bearing struct {
	first, last raftpb.EntryID // the entries at its ends; zero if there are none
	base        uint64         // a snapshot ahead of the first entry
	snapshot    uint64         // one behind the last entry
	states      stateSpan
	foreign     bool // it says itself that it is of another log
}

func (c *chain) bearing() (b bearing) {
	for i := range c.events {
		e := &c.events[i]
		b.foreign = b.foreign || e.foreign
		switch e.kind {
		case eventRun:
			if e.unchecked {
				break // what it says may be damaged
			}
			if b.first.Index == 0 {
				b.first = e.id
			}
			b.last = raftpb.EntryID{Term: e.id.Term, Index: e.last()}
			b.snapshot = 0
		case eventSnapshot:
			if b.first.Index == 0 {
				b.base = e.id.Index
			}
			b.snapshot = e.id.Index
		}
		if e.states.n > 0 {
			if b.states.n == 0 {
				b.states = e.states
			}
			b.states.n, b.states.last = b.states.n+e.states.n, e.states.last
		}
	}
	return b
}

// bears reports whether an event says something that its neighbours must go with.
func (e *event) bears() bool {
	return e.kind == eventRun && !e.unchecked || e.kind == eventSnapshot || e.states.n > 0
}

// lostAround returns how many bytes of damage lie within the chain: ahead of the first event that says
// something, and behind the last. What precedes the chain isn't among them.
func (c *chain) lostAround() (ahead, behind int64) {
	bore := false
	for i := range c.events {
		e := &c.events[i]
		if e.kind == eventBreak && (i > 0 || e.linked) {
			behind += e.damage.Len
		}
		if !e.bears() {
			continue
		}
		if !bore {
			ahead, bore = behind, true
		}
		if behind = 0; e.kind == eventBreak {
			continue // its states come behind the damage
		}
	}
	if !bore {
		ahead = behind
	}
	return ahead, behind
}

func (b *bearing) empty() bool { return b.first.Index == 0 && b.base == 0 && b.states.n == 0 }

// bearing is what the log says so far.
func (t *liveLog) bearing() bearing {
	b := bearing{first: t.last, last: t.last}
	if !t.state.IsEmpty() {
		b.states = stateSpan{n: 1, first: t.state, last: t.state}
	}
	return b
}

// clash tells why b can't follow a, or nothing. At most lost bytes lie between them; a negative
// number says that it isn't known.
func clash(a, b *bearing, lost int64) string {
	if b.foreign {
		return "they name another member or cluster"
	}
	if a.states.n > 0 && b.states.n > 0 {
		if _, why := stateRegress(a.states.last, b.states.first); why != "" {
			return why
		}
	}
	if a.last.Index == 0 || b.first.Index == 0 {
		return ""
	}
	next := a.last.Index + 1
	switch {
	case b.first.Index < next && (b.first.Term <= a.last.Term || b.first.Index <= a.states.last.Commit):
		return fmt.Sprintf("%s would overwrite entries up to %s", entryName(b.first), indexName(a.last))
	case b.first.Term < a.last.Term:
		return fmt.Sprintf("%s after %s: terms never go back", entryName(b.first), entryName(a.last))
	case b.states.n > 0 && b.states.first.Term < a.last.Term:
		return fmt.Sprintf("hard state of term %d after %s", b.states.first.Term, entryName(a.last))
	case lost >= 0 && lost < minSnapshotFrame && b.first.Index > next && b.base < next && b.first.Index != a.snapshot+1 &&
		b.first.Index-next > uint64(lost/minEntryFrame):
		return fmt.Sprintf("entries %d..%d don't fit in the %d bytes between", next, b.first.Index-1, lost)
	}
	return ""
}

// neighbours is what lies around a chain, beyond chains that hold nothing.
type neighbours struct {
	before int64  // bytes that are lost before it, -1 if that isn't known
	after  *chain // the next one that holds anything, nil if there is none
	behind int64  // bytes that are lost between it and that
	ends   bool   // the log ends cleanly with it
}

// addLost adds two numbers of bytes, either of which may be -1 for unknown.
func addLost(a, b int64) int64 {
	if a < 0 || b < 0 {
		return -1
	}
	return a + b
}

// foreign tells why a chain that nothing links to the log is none of it, or nothing.
func (t *liveLog) foreign(c *chain, n *neighbours) string {
	before, own := t.bearing(), c.bearing()
	lost := n.before
	if n.ends {
		lost = -1 // whatever was lost, this is where the log ends
	}
	if why := clash(&before, &own, lost); why != "" || n.after == nil {
		return why
	}
	behind := n.after.bearing()
	why := clash(&own, &behind, n.behind)
	if why == "" || clash(&before, &behind, -1) != "" {
		return ""
	}
	return "behind them, " + why
}
