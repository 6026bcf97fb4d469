// Package msgrow holds what members say to each other as commands show it, with the table of its fields.
package msgrow

import (
	"fmt"
	"strconv"

	"github.com/raftctl/raftctl/cmd/raftctl/where"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/raftpb"
)

// Item is an event that may be kept: beside that of its entries it has memory of its own for what an event points to.
type Item struct {
	Event            stream.Event // its pointers are of no use: see Row.Set
	Message          raftpb.Message
	Exchange         stream.Exchange
	Gap              stream.Gap
	FromName, ToName string // what the members are called, as far as it was known
}

// NewItem returns an event as an item, which aliases what the event does.
func NewItem(e *stream.Event, names *stream.Names) Item {
	i := Item{Event: *e, FromName: names.Of(e.From), ToName: names.Of(e.To)}
	if e.Message != nil {
		i.Message = *e.Message
	}
	if e.Exchange != nil {
		i.Exchange = *e.Exchange
	}
	if e.Gap != nil {
		i.Gap = *e.Gap
	}
	return i
}

// Size returns how many bytes the item aliases.
func (i *Item) Size() int {
	n := len(i.Message.Context)
	for j := range i.Message.Entries {
		n += len(i.Message.Entries[j].Data)
	}
	return n
}

// Keep copies them to buf, and all else that the item shares with the event.
func (i *Item) Keep(buf []byte) {
	take := func(b []byte) []byte {
		if b == nil {
			return nil
		}
		n := copy(buf, b)
		b, buf = buf[:n:n], buf[n:]
		return b
	}
	m := &i.Message
	m.Context = take(m.Context)
	if len(m.Entries) > 0 {
		m.Entries = append([]raftpb.Entry(nil), m.Entries...)
		for j := range m.Entries {
			m.Entries[j].Data = take(m.Entries[j].Data)
		}
	}
	if m.Snapshot != nil {
		s := *m.Snapshot
		s.Data = append([]byte(nil), s.Data...)
		m.Snapshot = &s
	}
	if len(m.Responses) > 0 {
		m.Responses = nil // which never travel
	}
}

// Options says how events are shown: all those of a Row alike.
type Options struct {
	Style   decode.Style
	Entries decode.Values // how much of entries is shown
}

// Row is an event as commands show it. It is used again for every event.
type Row struct {
	*Item
	Options

	request decode.Request
	text    []byte
	second  secondText
	shapes  where.Shapes[*Row, shape]
}

// NewRow returns a Row for events that are shown in one way.
func NewRow(o Options) *Row { return &Row{Options: o} }

// Set takes an event.
func (r *Row) Set(i *Item) { r.Item = i }

// kindNames are the kinds as JSON has them.
var kindNames = [...]string{
	stream.KindMessage: "message", stream.KindLinkHeartbeat: "link_heartbeat",
	stream.KindExchange: "exchange", stream.KindGap: "gap",
}

// KindName returns the name of a kind.
func KindName(k stream.Kind) string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "kind " + strconv.Itoa(int(k))
}

// Kind names the event's kind.
func (r *Row) Kind() string { return KindName(r.Event.Kind) }

// Readable is true: what can't be read is a gap.
func (r *Row) Readable() bool { return true }

// Where names the event in an error.
func (r *Row) Where() string {
	if r.Event.Pos.Packet > 0 {
		return fmt.Sprintf("%s of packet %d", r.Kind(), r.Event.Pos.Packet)
	}
	return fmt.Sprintf("%s at offset %d", r.Kind(), r.Event.Pos.Off)
}

// shape is what tells apart events whose JSON may have other fields: see Shows. Heartbeats and their answers alternate, and so
// have to be of one.
type shape struct {
	kind stream.Kind
	snap bool
}

// AppendJSON appends the event as one JSON object, without a line break.
func (r *Row) AppendJSON(b []byte) []byte {
	key := shape{kind: r.Event.Kind, snap: r.Event.Kind == stream.KindMessage && r.Message.Type == raftpb.MsgSnap}
	slot := int(key.kind)
	if key.snap {
		slot = 0
	}
	return r.shapes.Append(b, Table, r, slot, key)
}

// decoded returns what an entry asks for.
func (r *Row) decoded(e *raftpb.Entry) *decode.Request {
	_ = decode.Payload(&r.request, e) // what can't be read says so itself
	return &r.request
}
