package wal

import (
	"sync/atomic"

	"github.com/raftctl/raftctl/raftpb"
)

// maxEvents is how many events a log may have in all. Each takes about 150 bytes, so the limit
// keeps them under 20 MiB. An election makes one or two events and an etcd that holds one every
// second for a day makes 90,000; a log with more was not written by etcd.
const maxEvents = 1 << 17

// budget counts the events that may still be kept; segments read in parallel share it.
type budget struct{ left atomic.Int64 }

func newBudget() *budget {
	b := &budget{}
	b.left.Store(maxEvents)
	return b
}

func (b *budget) take() bool  { return b.left.Add(-1) >= 0 }
func (b *budget) spent() bool { return b.left.Load() < 0 }

// history compresses the entries, hard states and snapshots of a segment into events.
type history struct {
	seg    int
	events []event
	budget *budget
}

func newHistory(seg int, b *budget) *history {
	h := &history{seg: seg, budget: b}
	h.add(event{kind: eventHead})
	return h
}

// add appends an event. There is always one to add to: when the budget is spent, the last event
// stays, and the budget tells that the history is of no use.
func (h *history) add(e event) {
	e.at.seg = h.seg
	if h.budget.take() || len(h.events) == 0 {
		h.events = append(h.events, e)
	}
}

func (h *history) tail() *event { return &h.events[len(h.events)-1] }

// entry takes in an entry record. It extends the current run unless a hard state in between
// commits more than the run held, which has to stay visible.
func (h *history) entry(id raftpb.EntryID, off int64) {
	if t := h.tail(); t.kind == eventRun && id.Term == t.id.Term && id.Index == t.id.Index+t.n &&
		(t.states.n == 0 || t.states.commit < id.Index) {
		t.n++
		return
	}
	h.add(event{kind: eventRun, at: place{off: off}, id: id, n: 1})
}

// state takes in a hard state and says what is wrong with it after the one before, if that one is
// part of the same event; the tracker compares across events.
func (h *history) state(st raftpb.HardState, off int64) (c Class, detail string) {
	s := &h.tail().states
	if s.n > 0 {
		c, detail = stateRegress(s.last, st)
	}
	s.add(st, off)
	return c, detail
}

func (h *history) snapshot(s *Snapshot, off int64) {
	id := raftpb.EntryID{Term: s.Term, Index: s.Index}
	h.add(event{kind: eventSnapshot, at: place{off: off}, id: id, conf: s.ConfState})
}

// gap notes that records may be missing before off.
func (h *history) gap(off int64) {
	if t := h.tail(); t.kind == eventBreak && t.states.n == 0 {
		return
	}
	h.add(event{kind: eventBreak, at: place{off: off}})
}
