package raft

import (
	"fmt"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

// steady is a source that always draws n, or the most there is.
type steady int

func (s steady) IntN(n int) int { return min(int(s), n-1) }

// cluster is a few members in memory with a network that the test rules. Messages are delivered in
// the order in which they were sent.
type cluster struct {
	tb      testing.TB
	nodes   map[uint64]*node
	ids     []uint64
	network []raftpb.Message
	drop    func(m *raftpb.Message) bool // nil drops nothing
}

// node is a member with the application around it: a log in memory and the data of what it applied.
type node struct {
	*RawNode
	store   *MemoryStorage
	cfg     Config
	applied []string
	conf    raftpb.ConfState
	reads   []ReadState
	todo    []raftpb.Message // for the storage threads
}

func baseConfig(id uint64, store Storage) Config {
	return Config{
		ID:              id,
		ElectionTick:    10,
		HeartbeatTick:   1,
		Storage:         store,
		MaxSizePerMsg:   NoLimit,
		MaxInflightMsgs: 256,
		Rand:            steady(0),
	}
}

// newCluster starts members 1 to n, all voters, with a log that begins after index 2.
func newCluster(tb testing.TB, n int, adjust func(*Config)) *cluster {
	tb.Helper()
	c := &cluster{tb: tb, nodes: map[uint64]*node{}}
	var cs raftpb.ConfState
	for id := range uint64(n) {
		cs.Voters = append(cs.Voters, id+1)
	}
	for _, id := range cs.Voters {
		c.add(id, cs, adjust)
	}
	return c
}

// add starts one more member, whose log begins with a snapshot of the membership.
func (c *cluster) add(id uint64, cs raftpb.ConfState, adjust func(*Config)) *node {
	c.tb.Helper()
	store := NewMemoryStorage()
	if len(cs.Voters) > 0 {
		start := raftpb.SnapshotMetadata{ConfState: cs, Index: 2, Term: 1}
		must(c.tb, store.ApplySnapshot(raftpb.Snapshot{Metadata: start}))
		must(c.tb, store.SetHardState(raftpb.HardState{Term: 1, Commit: 2}))
	}
	cfg := baseConfig(id, store)
	if adjust != nil {
		adjust(&cfg)
	}
	rn, err := NewRawNode(&cfg)
	must(c.tb, err)
	n := &node{RawNode: rn, store: store, cfg: cfg, conf: cs}
	c.nodes[id] = n
	c.ids = append(c.ids, id)
	return n
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// settle handles Readys and delivers messages until nothing is left to do.
func (c *cluster) settle() {
	c.tb.Helper()
	for busy := true; busy; {
		busy = false
		for _, id := range c.ids {
			busy = c.ready(c.nodes[id]) || busy
		}
		busy = c.deliver() || busy
	}
}

// ready handles one Ready of a member, if it has one.
func (c *cluster) ready(n *node) bool {
	c.tb.Helper()
	if !n.HasReady() {
		return c.work(n)
	}
	rd, err := n.Ready()
	must(c.tb, err)
	n.reads = append(n.reads, rd.ReadStates...)
	if n.cfg.AsyncStorageWrites {
		for _, m := range rd.Messages {
			if raftpb.IsLocalMsgTarget(m.To) {
				n.todo = append(n.todo, m)
			} else {
				c.network = append(c.network, m)
			}
		}
		return true
	}
	c.store(n, rd.HardState, rd.Entries, rd.Snapshot)
	c.apply(n, rd.CommittedEntries)
	c.network = append(c.network, rd.Messages...)
	must(c.tb, n.Advance(rd))
	return true
}

// work does one piece of a member's storage work, if there is one.
func (c *cluster) work(n *node) bool {
	c.tb.Helper()
	if len(n.todo) == 0 {
		return false
	}
	m := n.todo[0]
	n.todo = n.todo[1:]
	if m.To == LocalAppendThread {
		hs := raftpb.HardState{Term: m.Term, Vote: m.Vote, Commit: m.Commit}
		c.store(n, hs, m.Entries, m.Snapshot)
	} else {
		c.apply(n, m.Entries)
	}
	c.network = append(c.network, m.Responses...)
	return true
}

func (c *cluster) store(n *node, hs raftpb.HardState, entries []raftpb.Entry, s *raftpb.Snapshot) {
	c.tb.Helper()
	if !hs.IsEmpty() {
		must(c.tb, n.store.SetHardState(hs))
	}
	if s != nil {
		must(c.tb, n.store.ApplySnapshot(*s))
		n.conf = s.Metadata.ConfState
		n.applied = append(n.applied, fmt.Sprintf("snapshot %d", s.Metadata.Index))
	}
	must(c.tb, n.store.Append(entries))
}

func (c *cluster) apply(n *node, entries []raftpb.Entry) {
	c.tb.Helper()
	for _, e := range entries {
		if e.Type == raftpb.EntryNormal {
			if len(e.Data) > 0 {
				n.applied = append(n.applied, string(e.Data))
			}
			continue
		}
		change, err := decodeConfChange(&e)
		must(c.tb, err)
		cs, err := n.ApplyConfChange(change)
		must(c.tb, err)
		n.conf = cs
		// A snapshot from now on has the new membership, so that new members find themselves in it.
		_, err = n.store.CreateSnapshot(e.Index, &cs, nil)
		must(c.tb, err)
	}
}

// deliver delivers the messages that are on the network now.
func (c *cluster) deliver() bool {
	c.tb.Helper()
	batch := c.network
	c.network = nil
	for i := range batch {
		m := &batch[i]
		n := c.nodes[m.To]
		own := m.From == m.To || raftpb.IsLocalMsgTarget(m.From)
		if n == nil || (c.drop != nil && !own && c.drop(m)) {
			continue
		}
		err := n.Step(*m)
		if err != nil && err != ErrStepPeerNotFound && err != ErrProposalDropped {
			c.tb.Fatalf("step %s: %v", raftpb.DescribeMessage(*m, nil), err)
		}
	}
	return len(batch) > 0
}

// elect makes a member leader.
func (c *cluster) elect(id uint64) *node {
	c.tb.Helper()
	n := c.nodes[id]
	must(c.tb, n.Campaign())
	c.settle()
	if got := n.BasicStatus().SoftState.RaftState; got != StateLeader {
		c.tb.Fatalf("member %d is %v after its campaign, want StateLeader", id, got)
	}
	return n
}

// propose proposes data at a member and lets things settle.
func (c *cluster) propose(id uint64, data string) {
	c.tb.Helper()
	must(c.tb, c.nodes[id].Propose([]byte(data)))
	c.settle()
}

// isolate cuts members off from the others, and each other.
func (c *cluster) isolate(ids ...uint64) {
	c.drop = func(m *raftpb.Message) bool {
		for _, id := range ids {
			if m.From == id || m.To == id {
				return true
			}
		}
		return false
	}
}

// heal reconnects everyone.
func (c *cluster) heal() { c.drop = nil }

// tick ticks a member and lets things settle after each tick.
func (c *cluster) tick(id uint64, n int) {
	c.tb.Helper()
	for range n {
		must(c.tb, c.nodes[id].Tick())
		c.settle()
	}
}
