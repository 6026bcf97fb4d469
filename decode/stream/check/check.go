package check

import (
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/raftpb"
)

// Options say what is known beside the messages.
type Options struct {
	// Members is the membership after the entry at MembersAt, or where the evidence begins if that is 0. It is nil where
	// it isn't known: it is then that of the first snapshot that is sent, or follows from who is asked for a vote,
	// where all links are seen.
	Members   *raftpb.ConfState
	MembersAt uint64
	// Known are the memberships that sources tell of themselves, by their names: for what such a source tells, they take the place of
	// Members.
	Known map[string]Membership
	// Logs are what members have on disk, read after the last event.
	Logs []Log
	// LeaseReads says that leaders answer reads without asking a quorum. etcd's don't.
	LeaseReads bool
	// Joint says that members may change several voters at once, by joint configurations. etcd's don't. Who is asked
	// for a vote doesn't tell the membership then.
	Joint bool
	// Window is how many entries are remembered, by hash; 0 stands for DefaultWindow.
	Window int
}

// Membership is a membership after the entry at an index.
type Membership struct {
	Members *raftpb.ConfState
	At      uint64
}

// DefaultWindow is how many entries are remembered.
const DefaultWindow = 1 << 16

// Checker judges the messages of one cluster. It takes them one by one, and keeps a bounded part of them: see the
// limits in doc.go.
type Checker struct {
	opts    Options
	rules   []*rule
	scenes  map[string]*scene // by source: each has an order of its own
	entries *entryWindow
	acks    map[ackKey]ackSeen
	events  int64
	now     moment
}

// moment is the event that is being judged.
type moment struct {
	*stream.Event
	from, to uint64
	kept     *stream.Event
	scene    *scene
}

// New returns a Checker that has seen nothing.
func New(o Options) *Checker {
	if o.Window == 0 {
		o.Window = DefaultWindow
	}
	c := &Checker{opts: o, scenes: map[string]*scene{}, entries: newEntryWindow(o.Window), acks: map[ackKey]ackSeen{}}
	for i := range table {
		row := &table[i]
		r := &rule{Info: row.Info}
		r.judge = row.judge(c, &r.tally)
		c.rules = append(c.rules, r)
	}
	return c
}

// Run judges all events, and returns their error if they end in one.
func Run(events stream.Events, o Options) (*Report, error) {
	c := New(o)
	for e, err := range events {
		if err != nil {
			return nil, err
		}
		c.Add(e)
	}
	return c.Report(), nil
}

// Add takes in one event, to which it keeps no reference. Those of captures are judged a while later: see hold.
func (c *Checker) Add(e *stream.Event) {
	c.events++
	s := c.scene(e.Pos.Source)
	if e.Pos.Packet == 0 {
		c.judge(e)
		return
	}
	if s.hold == nil {
		s.hold = newHold()
	}
	s.hold.add(e)
	for x, ok := s.hold.next(); ok; x, ok = s.hold.next() {
		s.settle(x)
	}
}

// flush judges what still waits.
func (c *Checker) flush() {
	for _, s := range c.scenes {
		if s.hold == nil {
			continue
		}
		s.hold.finish()
		for len(s.hold.list) > 0 {
			s.settle(s.hold.pop())
		}
		s.hold = nil
	}
}

// judge judges one event.
func (c *Checker) judge(e *stream.Event) {
	c.now = moment{Event: e, from: e.From, to: e.To, scene: c.scene(e.Pos.Source)}
	s := c.now.scene
	switch {
	case e.Kind == stream.KindGap:
		s.gap(e)
		return
	case e.Kind == stream.KindLinkHeartbeat:
		s.link(e.From, e.To)
		return
	case e.Kind == stream.KindExchange:
		s.exchange(e.From, e.To)
		return
	case e.Kind != stream.KindMessage || e.Message == nil || raftpb.IsLocalMsg(e.Message.Type):
		return
	}
	if c.now.from == 0 && e.Message.Type != raftpb.MsgProp && e.Message.Type != raftpb.MsgTransferLeader {
		c.now.from = e.Message.From
	}
	if c.now.to == 0 {
		c.now.to = e.Message.To
	}
	if c.now.from == 0 || c.now.to == 0 {
		return
	}
	c.entries.add(&c.now)
	s.before(&c.now)
	for _, r := range c.rules {
		r.judge.see(&c.now)
	}
	s.after(&c.now)
	c.noteAck(&c.now)
}

// scene returns what is known from a source. Of the sources beyond a number, nothing is known.
func (c *Checker) scene(source string) *scene {
	s := c.scenes[source]
	if s == nil {
		s = newScene(c, source)
		if len(c.scenes) < maxSources {
			c.scenes[source] = s
		}
	}
	return s
}

// keep returns a copy of the event that can be kept: without the bytes in its entries and its snapshot.
func (m *moment) keep() *stream.Event {
	if m.kept == nil {
		m.kept = light(m.Event)
	}
	return m.kept
}

// light copies an event but for the bytes in its entries and its snapshot.
func light(e *stream.Event) *stream.Event {
	l := *e
	msg := *e.Message
	l.Message = &msg
	msg.Responses = nil
	if n := len(msg.Entries); n > 0 {
		msg.Entries = make([]raftpb.Entry, n)
		for i := range msg.Entries {
			x := &e.Message.Entries[i]
			msg.Entries[i] = raftpb.Entry{Type: x.Type, Term: x.Term, Index: x.Index}
		}
	}
	if msg.Snapshot != nil {
		snap := raftpb.Snapshot{Metadata: msg.Snapshot.Clone().Metadata}
		msg.Snapshot = &snap
	}
	msg.Context = append([]byte(nil), msg.Context...)
	return &l
}
