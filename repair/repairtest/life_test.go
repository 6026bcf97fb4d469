package repairtest

import (
	"fmt"
	"math/rand/v2"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// life is how one member wrote its log.
type life struct {
	*cluster
	rng     *rand.Rand
	w       *writer
	flavor  raftpb.Flavor
	self    int
	upTo    uint64 // the last entry that it gets
	limit   int    // size of a segment
	at      uint64 // the last entry that it has
	state   raftpb.HardState
	saved   raftpb.HardState // the last one in the log
	snap    raftpb.EntryID   // the newest snapshot
	snaps   map[string][]byte
	fromSnp bool // it was behind, and got a snapshot from the leader
}

// lifeOptions say what a member is like.
type lifeOptions struct {
	self     int
	segments int  // about so many
	purge    bool // the first segments may be gone
	lags     bool // it may lack the last entries
	behind   bool // it may have got a snapshot from the leader
	database bool
}

// member makes the log of one of the members. Each call makes another one with the same entries: cut into segments
// at other places, in a flavour of its own, with other hard states, snapshots, and overwritten entries.
func (c *cluster) member(o lifeOptions) *member {
	c.membersMade++
	l := &life{cluster: c, rng: c.rng, self: o.self, snaps: map[string][]byte{}, upTo: c.last()}
	meta := wal.Metadata{NodeID: c.voters[o.self], ClusterID: c.id}
	l.w = newWriter(meta.AppendTo(nil))
	if c.release == "3.7" || c.rng.IntN(4) == 0 {
		l.flavor = raftpb.FlavorPbgo
	}
	if o.lags && c.rng.IntN(3) > 0 {
		l.upTo -= c.rng.Uint64N(c.last() / 3)
	}
	l.limit = max(c.size()/o.segments, 200)
	for l.at < l.upTo {
		l.step(o.behind)
	}
	if c.alone > 0 {
		l.state.Commit = min(l.at, c.committed) // else it may not know that it is alone
	}
	l.save(true)
	m := &member{name: c.peers[o.self].Name, release: c.release, snaps: l.snaps}
	m.segs = l.w.segments(l.purged(o.purge), l.space())
	if o.database || l.snap.Index > 0 {
		low, high := max(l.snap.Index, uint64(len(c.voters))), min(l.upTo, c.committed)
		m.db, m.applied = c.database(low + c.rng.Uint64N(max(high, low)-low+1))
	}
	m.understand()
	return m
}

// size is about how large the whole log is.
func (c *cluster) size() (n int) {
	for _, e := range c.truth {
		n += len(e.Data) + 60
	}
	return n
}

// space is how many bytes the last segment is ahead of its frames.
func (l *life) space() int {
	if l.rng.IntN(10) == 0 {
		return 0
	}
	return 8 + 8*l.rng.IntN(1000)
}

// step takes in some entries, as one write.
func (l *life) step(behind bool) {
	first := l.truth[l.at]
	if stray := l.strays[first.Index]; stray != nil && l.rng.IntN(2) == 0 && l.state.Commit < first.Index {
		l.append(stray...)
		l.save(false)
	}
	if first.Term > l.state.Term {
		l.state.Term, l.state.Vote = first.Term, l.voters[l.rng.IntN(len(l.voters))]
	}
	if behind && !l.fromSnp && l.at > 10 && l.rng.IntN(20) == 0 && l.at+8 < min(l.upTo, l.committed) {
		l.receive(l.at + 1 + l.rng.Uint64N(7))
		return
	}
	n := 1
	for limit := 1 + l.rng.IntN(4); n < limit && l.at+uint64(n) < l.upTo && l.truth[l.at+uint64(n)].Term == first.Term; {
		n++
	}
	l.append(l.truth[l.at : l.at+uint64(n)]...)
	l.at += uint64(n)
	if most := min(l.at, l.committed); l.rng.IntN(4) > 0 && most > l.state.Commit {
		l.state.Commit = most - l.rng.Uint64N(min(3, most-l.state.Commit))
	}
	l.save(l.rng.IntN(4) > 0)
	if l.rng.IntN(12) == 0 && l.saved.Commit > l.snap.Index+3 {
		l.snapshotAt(l.saved.Commit - l.rng.Uint64N(3))
	}
	if l.w.size() >= l.limit {
		l.w.cut()
	}
}

func (l *life) append(list ...proposal) {
	for _, p := range list {
		e := raftpb.Entry{Term: p.Term, Index: p.Index, Type: p.Type, Data: p.Data}
		l.w.add(wal.KindEntry, e.Marshal(l.flavor))
		l.w.last = p.Index
	}
}

// save writes the hard state, if it has changed; one with a new term or vote in any case.
func (l *life) save(wanted bool) {
	voted := l.state.Term != l.saved.Term || l.state.Vote != l.saved.Vote
	if l.state == l.saved || !wanted && !voted {
		return
	}
	l.w.add(wal.KindState, l.state.Marshal(l.flavor))
	l.saved = l.state
}

// snapshotAt records a snapshot of the member's own.
func (l *life) snapshotAt(index uint64) {
	if index < uint64(len(l.voters)) {
		return
	}
	id := l.truth[index-1].EntryID
	name, b := l.snapshot(id)
	l.snaps[name] = b
	s := wal.Snapshot{Index: id.Index, Term: id.Term, ConfState: l.confState(index)}
	if l.release == "3.4" {
		s.ConfState = nil
	}
	l.w.add(wal.KindSnapshot, s.AppendTo(nil, l.flavor))
	l.snap = id
	l.w.last = max(l.w.last, index)
}

// receive takes in a snapshot from the leader, which replaces what comes before.
func (l *life) receive(index uint64) {
	l.state.Commit, l.state.Term = index, max(l.state.Term, l.truth[index-1].Term)
	l.snapshotAt(index)
	l.save(true)
	l.at, l.fromSnp = index, true
	l.w.last = index
}

// purged is how many of the first segments are gone.
func (l *life) purged(may bool) (n int) {
	if !may || l.snap.Index == 0 || l.rng.IntN(2) == 0 {
		return 0
	}
	for i, name := range l.w.names {
		if i > 0 && name.Index <= l.snap.Index {
			n = i
		}
	}
	return l.rng.IntN(n + 1)
}

func (l *life) String() string {
	return fmt.Sprintf("%s, up to entry %d in segments of %d bytes", l.peers[l.self].Name, l.at, l.limit)
}
