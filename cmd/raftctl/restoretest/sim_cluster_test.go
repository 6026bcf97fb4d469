package restoretest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// simCluster is a cluster of members that follow Raft's rules, without its messages: what happens between two
// of its steps is left to chance. It knows what was committed, and writes each member's log.
type simCluster struct {
	t       *testing.T
	rng     *rand.Rand
	dir     string
	id      uint64
	members []*simMember
	truth   []simEntry // the committed entries, from index 1 on
	n       int        // values that were made
	now     time.Time  // when the next entry is made
}

// simEntry is an entry, comparable.
type simEntry struct {
	raftpb.EntryID
	Type raftpb.EntryType
	Data string
	at   time.Time // when it was made
}

// simMember is one of the members.
type simMember struct {
	*simCluster
	id     uint64
	name   string
	w      *wal.Writer
	log    []simEntry     // behind base
	base   raftpb.EntryID // what a snapshot holds
	start  raftpb.EntryID // the last snapshot record
	state  raftpb.HardState
	saved  raftpb.HardState // the last hard state in the log
	leader bool

	held    map[uint64]simEntry // what can be read from the files, at least
	applied uint64              // by its database
	damaged bool
}

const simMemberID = 0x8e9e05c52164694d

// simBegin is when simulated clusters begin.
var simBegin = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func newSimCluster(t *testing.T, rng *rand.Rand) *simCluster {
	c := &simCluster{t: t, rng: rng, dir: t.TempDir(), id: 0xcdf818194e3a8c32, now: simBegin}
	for i := range 3 + 2*rng.IntN(2) {
		c.members = append(c.members, &simMember{simCluster: c, name: fmt.Sprintf("m%d", i+1), id: simMemberID + uint64(i),
			held: map[uint64]simEntry{}})
	}
	flavor := raftpb.FlavorGogo
	if rng.IntN(2) == 0 {
		flavor = raftpb.FlavorPbgo
	}
	for _, m := range c.members {
		o := wal.CreateOptions{Metadata: wal.Metadata{NodeID: m.id, ClusterID: c.id}}
		o.NoSync, o.Flavor = true, flavor
		c.must(vfs.OS.MkdirAll(m.snapDir(), 0o777))
		var err error
		m.w, err = wal.Create(thinFS{vfs.OS}, m.path("member", "wal"), o)
		c.must(err)
	}
	c.begin()
	return c
}

// begin gives every member the entries with which etcd begins, committed.
func (c *simCluster) begin() {
	for i, m := range c.members {
		cc := raftpb.ConfChange{Type: raftpb.ConfChangeAddNode, NodeID: m.id, Context: fmt.Appendf(nil,
			`{"id":%d,"peerURLs":["http://h%d:2380"],"name":%q}`, m.id, i, m.name)}
		c.truth = append(c.truth, simEntry{raftpb.EntryID{Term: 1, Index: uint64(i + 1)}, raftpb.EntryConfChange,
			string(cc.Marshal(raftpb.FlavorGogo)), c.now})
	}
	for _, m := range c.members {
		m.state = raftpb.HardState{Term: 1, Commit: uint64(len(c.truth))}
		m.append(c.truth...)
	}
}

func (c *simCluster) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *simCluster) any() *simMember { return c.members[c.rng.IntN(len(c.members))] }

func (m *simMember) last() raftpb.EntryID {
	if n := len(m.log); n > 0 {
		return m.log[n-1].EntryID
	}
	return m.base
}

// at returns the entry at an index, nil if the member doesn't have it any more, or yet.
func (m *simMember) at(index uint64) *simEntry {
	if index <= m.base.Index || index > m.last().Index {
		return nil
	}
	return &m.log[index-m.base.Index-1]
}

// elect lets a member stand for election among those that it reaches.
func (c *simCluster) elect() {
	m, votes := c.any(), 0
	term := m.state.Term + 1
	var voters []*simMember
	for _, v := range c.members {
		a, b := m.last(), v.last()
		upToDate := a.Term > b.Term || a.Term == b.Term && a.Index >= b.Index
		if v == m || v.state.Term < term && upToDate && c.rng.IntN(4) > 0 {
			voters = append(voters, v)
			votes++
		}
	}
	for _, v := range voters {
		v.state.Term, v.leader = term, false
		v.append()
	}
	if votes <= len(c.members)/2 {
		return
	}
	m.leader = true
	m.append(simEntry{EntryID: raftpb.EntryID{Term: term, Index: m.last().Index + 1}, at: c.now})
}

// propose lets a leader, perhaps a deposed one, append entries and send what it has.
func (c *simCluster) propose() {
	m := c.any()
	if !m.leader {
		return
	}
	for range c.rng.IntN(5) {
		e := c.request()
		e.at = c.now
		e.EntryID = raftpb.EntryID{Term: m.state.Term, Index: m.last().Index + 1}
		m.append(e)
	}
	acked := 1
	for _, f := range c.members {
		if f != m && c.rng.IntN(3) > 0 && m.send(f) {
			acked++
		}
	}
	if acked > len(c.members)/2 {
		m.commit()
	}
}

// send brings a follower up to date. It returns whether the follower has all that the leader has.
func (m *simMember) send(f *simMember) bool {
	if f.state.Term > m.state.Term {
		return false
	}
	f.state.Term, f.leader = m.state.Term, false
	same := func(i uint64) bool {
		e := m.at(i)
		return e != nil && *e == *f.at(i) || e == nil && f.at(i).EntryID == m.base
	}
	next := f.last().Index + 1
	for next > f.base.Index+1 && (next-1 > m.last().Index || !same(next-1)) {
		next--
	}
	if next <= m.base.Index {
		return f.receive(m.base) && f.last() == m.last()
	}
	var list []simEntry
	for i := next; i <= m.last().Index; i++ {
		list = append(list, *m.at(i))
	}
	if m.rng.IntN(4) == 0 { // the rest gets lost
		list = list[:m.rng.IntN(len(list)+1)]
	}
	f.state.Commit = max(f.state.Commit, min(m.state.Commit, next-1+uint64(len(list))))
	f.append(list...)
	return f.last() == m.last()
}

// receive takes in a snapshot from the leader.
func (m *simMember) receive(id raftpb.EntryID) bool {
	if id.Index <= m.state.Commit {
		return false
	}
	m.state.Commit = id.Index
	if e := m.at(id.Index); e != nil && e.EntryID == id {
		m.append()
		return false
	}
	m.save(id)
	m.base, m.log = id, nil
	clear(m.held)
	m.append()
	return true
}

func (c *simCluster) voters() (cs raftpb.ConfState) {
	for _, m := range c.members {
		cs.Voters = append(cs.Voters, m.id)
	}
	return cs
}

// commit lets a leader commit what most have, if it is of its own term.
func (m *simMember) commit() {
	last := m.last()
	if last.Term != m.state.Term {
		return
	}
	for i := m.state.Commit + 1; i <= last.Index; i++ {
		e := m.at(i)
		if int(i) <= len(m.truth) {
			if m.truth[i-1] != *e {
				m.t.Fatalf("the model broke its promise: %v and %v committed", m.truth[i-1].EntryID, e.EntryID)
			}
			continue
		}
		m.truth = append(m.truth, *e)
	}
	m.state.Commit = last.Index
	m.append()
}

// finish takes as committed what a majority has, and took in the term that it is of, whether or not a leader
// came to know.
func (c *simCluster) finish() {
	for i := len(c.truth) + 1; ; i++ {
		held := map[simEntry]int{}
		for _, m := range c.members {
			if e := m.at(uint64(i)); e != nil && m.last().Term == m.saved.Term {
				held[*e]++
			}
		}
		next := (*simEntry)(nil)
		for e, n := range held {
			if n > len(c.members)/2 {
				next = &e
			}
		}
		if next == nil {
			return
		}
		c.truth = append(c.truth, *next)
	}
}

// snapshot lets a member save its state, and compact its log in memory.
func (c *simCluster) snapshot() {
	m := c.any()
	e := m.at(m.state.Commit)
	if e == nil || m.saved.Commit < e.Index {
		return
	}
	m.save(e.EntryID)
	if c.rng.IntN(2) == 0 {
		m.log, m.base = slices.Clone(m.log[e.Index-m.base.Index:]), e.EntryID
	}
}

// live runs the cluster for some steps and ends it.
func (c *simCluster) live(steps int) {
	for range steps {
		switch c.rng.IntN(12) {
		case 0:
			c.elect()
		case 1:
			c.snapshot()
		default:
			c.propose()
		}
	}
	for _, m := range c.members {
		c.must(m.w.Close())
	}
}
