package stat

import (
	"hash/maphash"
	"time"

	"github.com/raftctl/raftctl/raftpb"
)

// commits follows entries from when they are proposed, and from when they are first sent, until the leader tells that
// they are committed.
type commits struct {
	g         *Gatherer
	seed      maphash.Seed
	term      uint64 // of the leader whose entries wait
	last      uint64 // the last index that waits
	committed uint64
	entries   []sentEntry
	proposed  waiting[uint64]
}

// sentEntry is an entry that was sent, and maybe proposed.
type sentEntry struct {
	index    uint64
	at       time.Time
	proposed time.Time
}

func (c *commits) see(m *moment) {
	msg := m.msg
	switch msg.Type {
	case raftpb.MsgProp:
		for i := range msg.Entries {
			c.proposed.begin(c.hash(&msg.Entries[i]), m.Time)
		}
	case raftpb.MsgApp:
		c.sent(m)
		c.told(m)
	case raftpb.MsgHeartbeat:
		c.told(m)
	}
}

func (c *commits) hash(e *raftpb.Entry) uint64 {
	if c.seed == (maphash.Seed{}) {
		c.seed = maphash.MakeSeed()
	}
	return maphash.Bytes(c.seed, e.Data)
}

// sent takes the entries that are sent for the first time. A leader of a later term begins anew.
func (c *commits) sent(m *moment) {
	if m.msg.Term < c.term {
		return
	}
	if m.msg.Term > c.term {
		c.term, c.last, c.entries = m.msg.Term, 0, c.entries[:0]
	}
	for i := range m.msg.Entries {
		e := &m.msg.Entries[i]
		if e.Term != c.term || e.Index <= max(c.last, c.committed) {
			continue
		}
		c.last = e.Index
		x := sentEntry{index: e.Index, at: m.Time}
		if t, ok := c.proposed.end(c.hash(e)); ok && len(e.Data) > 0 {
			x.proposed = t
		}
		if len(c.entries) == 8*maxWaiting {
			c.g.s.Dropped++
			c.entries = append(c.entries[:0], c.entries[4*maxWaiting:]...)
		}
		c.entries = append(c.entries, x)
	}
}

// told takes a commit index.
func (c *commits) told(m *moment) {
	if m.msg.Term != c.term || m.msg.Commit <= c.committed {
		return
	}
	c.committed = m.msg.Commit
	n := 0
	for n < len(c.entries) && c.entries[n].index <= c.committed {
		x := &c.entries[n]
		c.g.latencies[KindCommit].Add(m.Time.Sub(x.at))
		if !x.proposed.IsZero() {
			c.g.latencies[KindProposal].Add(m.Time.Sub(x.proposed))
		}
		n++
	}
	c.entries = append(c.entries[:0], c.entries[n:]...)
}
