package logs_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"testing"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/internal/vfs/faultfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// thinFS allocates little ahead, so that thousands of logs can be made in memory.
type thinFS struct{ *faultfs.FS }

type thinFile struct{ vfs.File }

func (f thinFS) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	file, err := f.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return thinFile{file}, nil
}

func (f thinFile) Allocate(size int64) error { return f.File.Allocate(min(size, 4<<10)) }

// WriteAt leaves out the zeros that a writer puts ahead of its records.
func (f thinFile) WriteAt(b []byte, off int64) (int, error) {
	if len(b) >= 512 && len(bytes.Trim(b[:512], "\x00")) == 0 && bytes.Equal(b[512:], b[:len(b)-512]) {
		return len(b), nil
	}
	return f.File.WriteAt(b, off)
}

// Sync does nothing: no power is cut.
func (f thinFile) Sync() error { return nil }

// cluster is a cluster of members that follow Raft's rules, without its messages: what happens between
// two of its steps is left to chance. It knows what was committed.
type cluster struct {
	t       *testing.T
	rng     *rand.Rand
	fsys    thinFS
	id      uint64
	members []*member
	truth   []entry // the committed entries, from index 1 on
	n       int     // entries that were made
}

// member is one of them, and its log.
type member struct {
	*cluster
	name   string
	w      *wal.Writer
	log    []entry        // behind base
	base   raftpb.EntryID // what a snapshot holds
	state  raftpb.HardState
	saved  raftpb.HardState // the last hard state in the log
	leader bool
}

func newCluster(t *testing.T, rng *rand.Rand) *cluster {
	c := &cluster{t: t, rng: rng, fsys: thinFS{faultfs.New()}, id: 0xcdf818194e3a8c32}
	c.must(c.fsys.MkdirAll("/logs", 0o777))
	for i := range 3 + 2*rng.IntN(2) {
		m := &member{cluster: c, name: fmt.Sprintf("m%d", i+1)}
		id := wal.Metadata{NodeID: 0x8e9e05c52164694d + uint64(i), ClusterID: c.id}
		m.w = c.create(m.name, wal.CreateOptions{Metadata: id})
		c.members = append(c.members, m)
	}
	return c
}

func (c *cluster) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *cluster) create(name string, o wal.CreateOptions) *wal.Writer {
	o.NoSync = true
	if c.rng.IntN(2) == 0 {
		o.Flavor = raftpb.FlavorPbgo
	}
	w, err := wal.Create(c.fsys, path.Join("/logs", name), o)
	c.must(err)
	return w
}

func (c *cluster) any() *member { return c.members[c.rng.IntN(len(c.members))] }

// some returns whoever can be reached right now.
func (c *cluster) some() (out []*member) {
	for _, m := range c.members {
		if c.rng.IntN(3) > 0 {
			out = append(out, m)
		}
	}
	return out
}

func (m *member) last() raftpb.EntryID {
	if n := len(m.log); n > 0 {
		return m.log[n-1].ID
	}
	return m.base
}

// at returns the entry at an index, nil if the member doesn't have it any more, or yet.
func (m *member) at(index uint64) *entry {
	if index <= m.base.Index || index > m.last().Index {
		return nil
	}
	return &m.log[index-m.base.Index-1]
}

// holds reports whether the member's log has an entry, or begins behind it.
func (m *member) holds(id raftpb.EntryID) bool {
	if e := m.at(id.Index); e != nil {
		return e.ID == id
	}
	return id == m.base
}

// append adds entries, which may overwrite, and saves them. A commit alone is not always saved.
func (m *member) append(list ...entry) {
	var out []raftpb.Entry
	for _, e := range list {
		m.log = append(m.log[:e.ID.Index-m.base.Index-1], e)
		out = append(out, raftpb.Entry{Term: e.ID.Term, Index: e.ID.Index, Type: e.Type, Data: []byte(e.Data)})
	}
	st := m.state
	if st == m.saved || len(out) == 0 && st.Term == m.saved.Term && m.rng.IntN(2) == 0 {
		st = raftpb.HardState{}
	}
	m.must(m.w.Append(st, out))
	if st.Term > 0 {
		m.saved = st
	}
	if m.rng.IntN(8) == 0 {
		m.must(m.w.Roll())
	}
}

// elect lets a member stand for election among those that it reaches.
func (c *cluster) elect() {
	m, votes := c.any(), 0
	term := m.state.Term + 1
	var voters []*member
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
	m.append(entry{ID: raftpb.EntryID{Term: term, Index: m.last().Index + 1}})
}

// propose lets a leader, perhaps a deposed one, append entries and send what it has.
func (c *cluster) propose() {
	m := c.any()
	if !m.leader {
		return
	}
	for range c.rng.IntN(4) {
		c.n++
		e := entry{ID: raftpb.EntryID{Term: m.state.Term, Index: m.last().Index + 1}, Data: fmt.Sprintf("%d", c.n)}
		m.append(e)
	}
	acked := 1
	for _, f := range c.some() {
		if f != m && m.send(f) {
			acked++
		}
	}
	if acked > len(c.members)/2 {
		m.commit()
	}
}

// send brings a follower up to date. It returns whether the follower has all that the leader has.
func (m *member) send(f *member) bool {
	if f.state.Term > m.state.Term {
		return false
	}
	f.state.Term, f.leader = m.state.Term, false
	next := f.last().Index + 1
	for next > f.base.Index+1 && (next-1 > m.last().Index || !m.holds(f.at(next-1).ID)) {
		next--
	}
	if next <= m.base.Index {
		return f.receive(m.base) && f.last() == m.last()
	}
	if m.rng.IntN(12) == 0 && m.state.Commit > f.state.Commit { // it has compacted its log
		if e := m.at(m.state.Commit); e != nil {
			return f.receive(e.ID) && f.last() == m.last()
		}
	}
	var list []entry
	for i := next; i <= m.last().Index; i++ {
		list = append(list, *m.at(i))
	}
	if m.rng.IntN(4) == 0 { // the rest gets lost
		list = list[:m.rng.IntN(len(list)+1)]
	}
	matched := next - 1 + uint64(len(list))
	f.state.Commit = max(f.state.Commit, min(m.state.Commit, matched))
	f.append(list...)
	return f.last() == m.last()
}

// receive takes in a snapshot from the leader.
func (m *member) receive(id raftpb.EntryID) bool {
	if id.Index <= m.state.Commit {
		return false
	}
	m.state.Commit = id.Index
	if e := m.at(id.Index); e != nil && e.ID == id {
		m.append()
		return false
	}
	m.must(m.w.SaveSnapshot(wal.Snapshot{Index: id.Index, Term: id.Term, ConfState: voters}))
	m.base, m.log = id, nil
	m.append()
	return true
}

// commit lets a leader commit what most have, if it is of its own term.
func (m *member) commit() {
	last := m.last()
	if last.Term != m.state.Term {
		return
	}
	for i := m.state.Commit + 1; i <= last.Index; i++ {
		e := m.at(i)
		if int(i) <= len(m.truth) {
			if m.truth[i-1] != *e {
				m.t.Fatalf("the model broke its promise: %v and %v committed", m.truth[i-1], *e)
			}
			continue
		}
		m.truth = append(m.truth, *e)
	}
	m.state.Commit = last.Index
	m.append()
}

// snapshot lets a member save its state, and compact its log in memory.
func (c *cluster) snapshot() {
	m := c.any()
	e := m.at(m.state.Commit)
	if e == nil || m.saved.Commit < e.ID.Index {
		return
	}
	c.must(m.w.SaveSnapshot(wal.Snapshot{Index: e.ID.Index, Term: e.ID.Term, ConfState: voters}))
	if c.rng.IntN(2) == 0 {
		m.log = slices.Clone(m.log[e.ID.Index-m.base.Index:])
		m.base = e.ID
	}
}

// live runs the cluster for some steps and ends it.
func (c *cluster) live(steps int) {
	for range steps {
		switch c.rng.IntN(10) {
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

// export adds a log with a part of a member's.
func (c *cluster) export() {
	m := c.any()
	if len(m.log) == 0 {
		return
	}
	lo := c.rng.IntN(len(m.log))
	part := m.log[lo : lo+1+c.rng.IntN(len(m.log)-lo)]
	x := &member{cluster: c, name: "part of " + m.name, base: raftpb.EntryID{Index: part[0].ID.Index - 1}}
	x.w = c.create(x.name, wal.CreateOptions{
		Metadata: wal.Metadata{NodeID: 1, ClusterID: c.id}, First: wal.SegmentName{Seq: 7, Index: part[0].ID.Index},
	})
	if c.rng.IntN(2) == 0 {
		x.state = raftpb.HardState{Term: m.state.Term, Commit: min(m.state.Commit, part[len(part)-1].ID.Index)}
	}
	x.append(part...)
	c.must(x.w.Close())
	c.members = append(c.members, x)
}

// segments returns the segments of a member's log.
func (m *member) segments() (names []string) {
	dir := path.Join("/logs", m.name)
	list, err := m.fsys.ReadDir(dir)
	m.must(err)
	for _, e := range list {
		if _, ok := wal.ParseSegmentName(e.Name()); ok {
			names = append(names, path.Join(dir, e.Name()))
		}
	}
	return names
}

// purge removes the oldest segments.
func (m *member) purge() {
	names := m.segments()
	for _, name := range names[:m.rng.IntN(len(names))] {
		m.must(m.fsys.Remove(name))
	}
}

// damage changes something in the log, or loses it.
func (m *member) damage() {
	names := m.segments()
	name := names[m.rng.IntN(len(names))]
	f, err := m.fsys.OpenFile(name, os.O_RDWR, 0)
	m.must(err)
	info, err := f.Stat()
	m.must(err)
	end := m.used(f, info.Size())
	off := m.rng.Int64N(max(end, 1))
	var b []byte
	switch m.rng.IntN(6) {
	case 0:
		m.must(f.Truncate(off))
	case 1:
		m.must(f.Close())
		m.must(m.fsys.Remove(name))
		if len(names) == 1 {
			m.w = nil // nothing is left
		}
		return
	case 2:
		b = make([]byte, m.rng.IntN(600))
	case 3: // what lay there before, or somewhere else
		b = make([]byte, m.rng.Int64N(end-off+1))
		_, err := f.ReadAt(b, m.rng.Int64N(off+1))
		m.must(err)
	default:
		b = []byte{byte(m.rng.Uint32())}
	}
	b = b[:min(int64(len(b)), max(info.Size()-off, 0))]
	_, err = f.WriteAt(b, off)
	m.must(err)
	m.must(f.Close())
}

// used returns how much of a segment holds bytes other than zeros.
func (m *member) used(f vfs.File, size int64) int64 {
	b := make([]byte, size)
	if size > 0 {
		_, err := f.ReadAt(b, 0)
		m.must(err)
	}
	for size > 0 && b[size-1] == 0 {
		size--
	}
	return size
}
