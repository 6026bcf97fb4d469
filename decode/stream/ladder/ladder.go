package ladder

import (
	"strconv"
	"strings"
	"time"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/raftpb"
)

// Ladder holds what is drawn. The zero value is an empty one.
type Ladder struct {
	// Title says what was looked at.
	Title string

	lanes  []lane
	laneOf map[uint64]int
	rows   []row
	marks  marks
}

// lane is a member.
type lane struct {
	id   uint64
	name string // or "" where none is known
}

// label returns how the lane is named: as the member is, or by its ID.
func (l lane) label() string {
	switch {
	case l.name != "":
		return l.name
	case l.id == 0:
		return "unknown"
	}
	return strconv.FormatUint(l.id, 16)
}

// row is an event.
type row struct {
	time     time.Time
	from, to int // lanes
	kind     string
	term     uint64
	first    uint64 // index of what it is about: the first entry that it brings, or its own
	last     uint64 // and the last one
	number   int    // of the event, from 1 on
	text     string
}

// Add adds an event, and what is to be read about it. Nothing of e is kept. Once the ladder was written, no more can be added.
func (l *Ladder) Add(e *stream.Event, text string) {
	r := row{
		time: e.Time, from: l.lane(e.From), to: l.lane(e.To), kind: kindOf(e), number: len(l.rows) + 1,
		text: strings.Clone(text),
	}
	if m := e.Message; m != nil {
		r.term, r.first, r.last = m.Term, m.Index, m.Index
		if n := len(m.Entries); n > 0 && m.Type != raftpb.MsgProp {
			r.first, r.last = m.Entries[0].Index, m.Entries[n-1].Index
		}
		l.marks.see(len(l.rows), r.from, m)
	}
	l.rows = append(l.rows, r)
}

// Len returns how many events it has.
func (l *Ladder) Len() int { return len(l.rows) }

// Name gives a member its name.
func (l *Ladder) Name(id uint64, name string) { l.lanes[l.lane(id)].name = name }

// Members returns the IDs of those that have lanes.
func (l *Ladder) Members() (ids []uint64) {
	for _, lane := range l.lanes {
		ids = append(ids, lane.id)
	}
	return ids
}

// lane returns the lane of a member, which it gets when it is first seen.
func (l *Ladder) lane(id uint64) int {
	at, ok := l.laneOf[id]
	if !ok {
		if l.laneOf == nil {
			l.laneOf = map[uint64]int{}
		}
		at = len(l.lanes)
		l.laneOf[id], l.lanes = at, append(l.lanes, lane{id: id})
	}
	return at
}

// kindOf returns by what an event has its colour: the type of a message, without the Msg of its name.
func kindOf(e *stream.Event) string {
	switch e.Kind {
	case stream.KindMessage:
		return strings.TrimPrefix(e.Message.Type.String(), "Msg")
	case stream.KindExchange:
		return "exchange"
	case stream.KindGap:
		return "gap"
	}
	return "link heartbeat"
}
