package check

import (
	"slices"
	"time"

	"github.com/raftctl/raftctl/decode/stream"
)

// The limits of what is held of a capture. What is more than that is judged earlier.
const (
	maxHeld      = 1 << 16
	maxHeldBytes = 64 << 20
)

// heldFor is how long an event of a capture is held before it is judged. It is longer than any connection of etcd's is
// silent: by then it shows whether something is missing before it.
const heldFor = settled

// hold puts the events of a capture in the order in which they were seen on the wire. A capture may have packets in
// another order; and that one is missing shows only at the next one of its connection, while what followed from it
// may be seen on others at once. So events wait for a while, and a gap begins behind what was seen last of its direction.
type hold struct {
	list   []held // in the order of their times
	bytes  int64
	newest time.Time
	ends   *keyed[side, held] // what was seen last of each direction of a connection
	gaps   bool               // there was one
}

// held is an event, or the beginning of the gap that it is.
type held struct {
	at     time.Time
	e      *stream.Event
	begins bool
}

// side is a direction of a connection.
type side struct {
	conn     uint64
	from, to uint64
}

func newHold() *hold { return &hold{ends: newKeyed[side, held](maxLinks)} }

// add takes in an event, of which it keeps a copy.
func (h *hold) add(e *stream.Event) {
	x := held{at: e.Time, e: e.Clone()}
	end, _ := h.ends.put(side{e.Conn, e.From, e.To})
	if e.Kind == stream.KindGap {
		h.gaps = true
		h.insert(held{at: end.at, e: x.e, begins: true})
	}
	*end = x
	h.insert(x)
	h.bytes += e.Size
	if e.Time.After(h.newest) {
		h.newest = e.Time
	}
}

// insert puts an event behind those that are not later.
func (h *hold) insert(x held) {
	i := len(h.list)
	for i > 0 && h.list[i-1].at.After(x.at) {
		i--
	}
	h.list = slices.Insert(h.list, i, x)
}

// next returns the event that has waited for long enough; ok is false for none.
func (h *hold) next() (x held, ok bool) {
	if len(h.list) == 0 {
		return x, false
	}
	if h.newest.Sub(h.list[0].at) < heldFor && len(h.list) <= maxHeld && h.bytes <= maxHeldBytes {
		return x, false
	}
	return h.pop(), true
}

func (h *hold) pop() held {
	x := h.list[0]
	h.list[0] = held{}
	h.list = h.list[1:]
	if !x.begins {
		h.bytes -= x.e.Size
	}
	return x
}

// finish lets gaps begin behind what was seen last of each connection, if packets are missing at all: that more were
// missing there could not show.
func (h *hold) finish() {
	if !h.gaps {
		return
	}
	for s, x := range h.ends.m {
		h.insert(held{at: x.at, begins: true, e: &stream.Event{
			Kind: stream.KindGap, Time: x.at, From: s.from, To: s.to, Channel: x.e.Channel, Conn: s.conn, Pos: x.e.Pos,
			Gap: &stream.Gap{Bytes: -1, Final: true},
		}})
	}
}

// settle judges an event that was held. Within a gap, something may be missing before each event.
func (s *scene) settle(x held) {
	switch {
	case x.begins:
		s.open = append(s.open, x.e)
	case x.e.Kind == stream.KindGap && !x.e.Gap.Final:
		s.open = slices.DeleteFunc(s.open, func(e *stream.Event) bool { return e == x.e })
	}
	for _, gap := range s.open {
		s.gap(gap)
	}
	s.c.judge(x.e)
}
