package check

import (
	"time"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/raftpb"
)

// The limits of what a scene keeps. What falls out counts as not seen, and what needs it as not checked.
const (
	maxSources     = 16
	maxLinks       = 1 << 12
	maxLeaderships = 32
	maxFollowers   = 64
	maxMembers     = 64
)

// pair is a direction between two members.
type pair struct{ from, to uint64 }

// memberSeen is what is known of a member.
type memberSeen struct {
	term uint64 // the highest that it told
	gaps int64  // how many there had been by then
}

// scene is what the messages of one source told so far. All that is said about who knew what when comes from it: a
// source has one clock and one order.
type scene struct {
	c         *Checker
	hold      *hold           // of a capture
	open      []*stream.Event // gaps of a capture that have begun
	links     *keyed[pair, bool]
	exchanges *keyed[pair, bool]
	gaps      int64               // of all directions
	seen      map[uint64]bool     // members
	holes     *keyed[pair, int64] // gaps by direction; an end that is not known is 0
	members   *keyed[uint64, memberSeen]
	asked     *keyed[uint64, campaign]   // by term, who campaigned
	leaders   *keyed[uint64, leadership] // by term
	conf      membership

	linksAsked int  // how many directions there were when it was last asked whether these are all
	whole      bool // whether they were

	// commit is the highest commit index that was told, and by which message. Invariant: what is told below it needs
	// no proof any more.
	commit     uint64
	commitTold *stream.Event
	committed  []stretch
	seq        int64     // counts the messages
	now        time.Time // of the message at hand
}

// campaign is who asked for votes in a term, and whom.
type campaign struct {
	candidate uint64
	asked     map[uint64]bool
	gaps      int64 // how many there had been at its beginning
}

func newScene(c *Checker, source string) *scene {
	s := &scene{
		c: c, seen: map[uint64]bool{}, links: newKeyed[pair, bool](maxLinks), exchanges: newKeyed[pair, bool](maxLinks), holes: newKeyed[pair, int64](maxLinks),
		members: newKeyed[uint64, memberSeen](4 * maxMembers),
		asked:   newKeyed[uint64, campaign](maxLeaderships), leaders: newKeyed[uint64, leadership](maxLeaderships),
	}
	s.conf.scene = s
	if known, ok := c.opts.Known[source]; ok {
		s.conf.restore(known.At, known.Members)
	} else if c.opts.Members != nil {
		s.conf.restore(c.opts.MembersAt, c.opts.Members)
	}
	return s
}

// link notes that a direction is seen.
func (s *scene) link(from, to uint64) {
	if from == 0 || to == 0 {
		return
	}
	if _, isNew := s.links.put(pair{from, to}); isNew && len(s.seen) < 4*maxMembers {
		s.seen[from], s.seen[to] = true, true
	}
}

// exchange notes that two members talk over HTTP: streams begin so.
func (s *scene) exchange(from, to uint64) {
	if from != 0 && to != 0 && len(s.seen) < 4*maxMembers {
		s.exchanges.put(pair{from, to})
		s.seen[from], s.seen[to] = true, true
	}
}

// sees reports whether a direction is seen at all: a capture holds all connections of a pair of members or none.
func (s *scene) sees(from, to uint64) bool { return s.links.get(pair{from, to}) != nil }

// talk reports whether anything is seen that a member says to another.
func (s *scene) talk(from, to uint64) bool {
	return s.sees(from, to) || s.exchanges.get(pair{from, to}) != nil
}

// seesAll reports whether it is seen of any two members how they talk to each other, and there are three at least: of
// two, it may be what is seen at one of them, who hears nothing of the others.
func (s *scene) seesAll() bool {
	if n := len(s.links.m) + len(s.exchanges.m); n == s.linksAsked {
		return s.whole
	}
	s.linksAsked, s.whole = len(s.links.m)+len(s.exchanges.m), len(s.seen) > 2
	for a := range s.seen {
		for b := range s.seen {
			s.whole = s.whole && (a == b || s.talk(a, b) || s.talk(b, a))
		}
	}
	return s.whole
}

// gapsOf returns how many gaps there were that may have held a message of the direction.
func (s *scene) gapsOf(from, to uint64) (n int64) {
	if s.gaps == 0 {
		return 0
	}
	for _, p := range []pair{{from, to}, {from, 0}, {0, to}, {0, 0}} {
		if x := s.holes.get(p); x != nil {
			n += *x
		}
	}
	return n
}

// gap notes that something is missing.
func (s *scene) gap(e *stream.Event) {
	if e.Channel == stream.ChannelClient || e.Channel == stream.ChannelPeer && e.From != 0 && e.To != 0 {
		return
	}
	s.gaps++
	n, _ := s.holes.put(pair{e.From, e.To})
	*n++
	s.link(e.From, e.To)
}

// before takes in what must be known when the message is judged: that its direction is seen, who leads, and what it
// carries.
func (s *scene) before(m *moment) {
	s.seq++
	s.now = m.Time
	s.link(m.from, m.to)
	msg := m.Message
	if leader, ok := m.leaderOf(); ok {
		s.lead(m, leader)
	}
	if l := s.leadershipOf(m); l != nil && msg.Type == raftpb.MsgApp {
		l.sentEntries(m)
	} else if l != nil && msg.Type == raftpb.MsgSnap {
		l.sentSnapshot(m)
	}
	if msg.Type == raftpb.MsgVote && msg.Term > 0 {
		c, isNew := s.asked.put(msg.Term)
		if isNew {
			*c = campaign{candidate: m.from, asked: map[uint64]bool{}, gaps: s.gaps}
		}
		if c.candidate == m.from && len(c.asked) < maxMembers {
			c.asked[m.to] = true
		}
	}
}

// after takes in what the message told.
func (s *scene) after(m *moment) {
	if term, ok := termOf(m.Message); ok {
		known, _ := s.members.put(m.from)
		known.term, known.gaps = max(known.term, term), s.gaps
	}
	if l := s.leadershipOf(m); l != nil {
		if commit, ok := toldCommit(m.Message); ok {
			s.takeCommit(m, l, commit)
		}
	}
	if index, ok := acked(m.Message); ok {
		if l := s.leaders.get(m.Message.Term); l != nil && l.leader == m.to {
			l.ack(m, index)
		}
	}
}

// leadershipOf returns the leadership in which the sender made the message, nil where it did not lead.
func (s *scene) leadershipOf(m *moment) *leadership {
	if l := s.leaders.get(m.Message.Term); l != nil && l.leader == m.from {
		return l
	}
	return nil
}

// takeCommit raises what is known to be committed.
func (s *scene) takeCommit(m *moment, l *leadership, commit uint64) {
	if commit > l.told {
		l.told, l.toldBy = commit, m.keep()
	}
	s.commits(m, l, commit)
	if msg := m.Message; msg.Type == raftpb.MsgSnap && commit >= s.conf.index {
		s.conf.restore(commit, &msg.Snapshot.Metadata.ConfState)
	}
	if commit > s.commit {
		s.commit, s.commitTold = commit, m.keep()
		s.conf.advance(l, commit)
	}
}
