package check

import "github.com/raftctl/raftctl/raftpb"

// matchRule: entries of the same index and term are the same, and come after entries of the same term (log matching,
// section 5.3).
type matchRule struct {
	*tally
	entries *entryWindow
}

func newMatchRule(c *Checker, t *tally) judge { return &matchRule{t, c.entries} }

func (r *matchRule) see(m *moment) {
	msg := m.Message
	if msg.Type != raftpb.MsgApp {
		return
	}
	prev := previous(msg)
	for i := range msg.Entries {
		e := &msg.Entries[i]
		if prev == (raftpb.EntryID{}) {
			prev.Index = e.Index - 1 // not known
		}
		r.entry(m, e, prev)
		prev = e.ID()
	}
}

// entry holds an entry against its first sight.
func (r *matchRule) entry(m *moment, e *raftpb.Entry, prev raftpb.EntryID) {
	have := r.entries.get(e.ID())
	switch {
	case e.Index != prev.Index+1:
		r.violated(nil, m, "entry %s follows entry %s", e.ID(), prev)
	case e.Term < prev.Term:
		r.violated(nil, m, "entry %s follows entry %s of a later term", e.ID(), prev)
	case have == nil:
		r.cannot("the entry was seen too long ago, or belongs to no log")
	case have.by == m.kept:
		// the first sight
	case have.sum != r.entries.sum(e):
		r.violated(have.by, m, "entry %s has %d bytes that differ from the %d seen before", e.ID(), len(e.Data), have.size)
	case have.prev != prev.Term && have.prev > 0 && prev.Term > 0:
		r.violated(have.by, m, "entry %s follows term %d, and followed term %d before", e.ID(), prev.Term, have.prev)
	default:
		r.ok()
	}
}
