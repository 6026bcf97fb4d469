package wal

import (
	"sync/atomic"

	"github.com/raftctl/raftctl/raftpb"
)

// maxEvents is how many events a log may have in all. Each takes about 150 bytes, so the limit
// keeps them under 20 MiB. An election makes one or two events and an etcd that holds one every
// second for a day makes 90,000; a log with more was not written by etcd.
const maxEvents = 1 << 17

// maxMembers is how many member IDs are kept of all snapshot records together: 1 MiB of them.
const maxMembers = 1 << 17

// maxKeptBytes is how many bytes of entries are kept at most for VerifyOptions.Keep: membership
// changes and the like take some hundred bytes each.
const maxKeptBytes = 4 << 20

// budget counts the events, the member IDs and the bytes of entries that may still be kept; segments
// read in parallel share it.
type budget struct{ left, members, kept atomic.Int64 }

func newBudget() *budget {
	b := &budget{}
	b.left.Store(maxEvents)
	b.members.Store(maxMembers)
	b.kept.Store(maxKeptBytes)
	return b
}

func (b *budget) take() bool  { return b.left.Add(-1) >= 0 }
func (b *budget) spent() bool { return b.left.Load() < 0 }

type eventKind uint8

const (
	eventHead     eventKind = iota // a segment begins
	eventRun                       // entries of one term with consecutive indexes
	eventSnapshot                  // a snapshot record
	eventBreak                     // damage: records may be missing here
)

// event is one step of a log's history, as small as the steps allow: a segment of half a million
// entries written under one leader is two events.
type event struct {
	kind      eventKind
	at        place          // its first record
	id        raftpb.EntryID // run: the first entry; snapshot: what it includes
	n         uint64         // run: how many entries
	conf      *raftpb.ConfState
	damage    *Finding  // break: what was found there
	linked    bool      // break: what follows is proven to continue the log
	unchecked bool      // run: the data of its entry could not be verified
	foreign   bool      // metadata of another member or cluster follows
	states    stateSpan // the hard states recorded after it and before the next event
	ahead     uint64    // run: the member's term when it was recorded, as far as what was saved with it tells
}

// lookAhead sets what the records behind the runs tell of them. A write is entries and then, if it has
// changed, the hard state.
func lookAhead(events []event) {
	for i := len(events) - 1; i >= 0; i-- {
		e := &events[i]
		if e.states.n > 0 {
			e.ahead = e.states.first.Term
		} else if i+1 < len(events) && events[i+1].kind == eventRun && events[i+1].id.Index == e.last()+1 {
			e.ahead = max(events[i+1].id.Term, events[i+1].ahead)
		}
	}
}

// last returns the index of a run's last entry.
func (e *event) last() uint64 { return e.id.Index + e.n - 1 }

// stateSpan sums up the hard states between two events. Whether each follows from the one before
// it was checked when the span was made.
type stateSpan struct {
	n                 int
	first, last       raftpb.HardState
	firstOff, lastOff int64
	commit            uint64 // the highest commit among them
	commitOff         int64
}

func (s *stateSpan) add(st raftpb.HardState, off int64) {
	if s.n == 0 {
		s.first, s.firstOff = st, off
	}
	if s.n == 0 || st.Commit > s.commit {
		s.commit, s.commitOff = st.Commit, off
	}
	s.n++
	s.last, s.lastOff = st, off
}

// history compresses the entries, hard states and snapshots of a segment into events.
type eventList struct {
	seg    int
	events []event
	budget *budget
}

func newEventList(seg int, b *budget) *eventList {
	h := &eventList{seg: seg, budget: b}
	h.add(event{kind: eventHead})
	return h
}

// add appends an event. There is always one to add to: when the budget is spent, the last event
// stays, and the budget tells that the history is of no use.
func (h *eventList) add(e event) {
	e.at.seg = h.seg
	if h.budget.take() || len(h.events) == 0 {
		h.events = append(h.events, e)
	}
}

func (h *eventList) tail() *event { return &h.events[len(h.events)-1] }

// entry takes in an entry record. It extends the current run unless a hard state in between
// commits more than the run held, which has to stay visible.
func (h *eventList) entry(id raftpb.EntryID, off int64, unchecked bool) {
	if t := h.tail(); t.kind == eventRun && !unchecked && !t.unchecked && id.Term == t.id.Term && id.Index == t.id.Index+t.n &&
		(t.states.n == 0 || t.states.commit < id.Index) {
		t.n++
		return
	}
	h.add(event{kind: eventRun, at: place{off: off}, id: id, n: 1, unchecked: unchecked})
}

// state takes in a hard state and says what is wrong with it after the one before, if that one is
// part of the same event; the liveLog compares across events.
func (h *eventList) state(st raftpb.HardState, off int64) (c Class, detail string) {
	s := &h.tail().states
	if s.n > 0 {
		c, detail = stateRegress(s.last, st)
	}
	s.add(st, off)
	return c, detail
}

func (h *eventList) snapshot(s *Snapshot, off int64) {
	conf := s.ConfState
	if conf != nil && h.budget.members.Add(-int64(members(conf))) < 0 {
		conf = nil
	}
	h.add(event{kind: eventSnapshot, at: place{off: off}, id: s.ID(), conf: conf})
}

func members(c *raftpb.ConfState) int {
	return len(c.Voters) + len(c.Learners) + len(c.VotersOutgoing) + len(c.LearnersNext)
}

// gap notes that records may be missing where the damage f is told, at off. Linked says that what
// follows is proven to continue the log.
func (h *eventList) gap(off int64, f *Finding, linked bool) {
	if t := h.tail(); t.kind == eventBreak && t.states.n == 0 {
		t.damage = new(*t.damage)
		t.damage.Len, t.linked = t.damage.Len+f.Len, t.linked && linked
		return
	}
	h.add(event{kind: eventBreak, at: place{off: off}, damage: f, linked: linked})
}
