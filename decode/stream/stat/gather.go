package stat

import (
	"cmp"
	"slices"
	"time"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/raftpb"
)

// The limits of what is followed.
const (
	maxFlows     = 1 << 12
	maxFollowed  = 1 << 9
	maxWaiting   = 1 << 10
	maxElections = 256
	maxSnapshots = 64
	maxReasons   = 16
)

// Gatherer makes a summary of events, which it takes one by one.
type Gatherer struct {
	s         Summary
	flows     map[flowKey]*Flow
	latencies map[Kind]*Histogram
	followers map[uint64]*Follower
	gaps      map[string]*GapReason
	replicas  map[replicaKey]*replica
	commits   commits
	reads     waiting[readKey]
	elections elections
}

type flowKey struct {
	from, to uint64
	kind     raftpb.MessageType
}

type readKey struct {
	from    uint64
	context string
}

// New returns a Gatherer that has seen nothing.
func New() *Gatherer {
	g := &Gatherer{
		flows: map[flowKey]*Flow{}, latencies: map[Kind]*Histogram{}, followers: map[uint64]*Follower{},
		gaps: map[string]*GapReason{}, replicas: map[replicaKey]*replica{},
	}
	for _, k := range kinds {
		g.latencies[k] = &Histogram{}
	}
	g.commits.g, g.elections.g = g, g
	return g
}

// Run summarises all events, and returns their error if they end in one.
func Run(events stream.Events) (*Summary, error) {
	g := New()
	for e, err := range events {
		if err != nil {
			return nil, err
		}
		g.Add(e)
	}
	return g.Summary(), nil
}

// Add takes one event. It keeps no reference to it.
func (g *Gatherer) Add(e *stream.Event) {
	s := &g.s
	s.Events++
	s.Bytes += e.Size
	if !e.Time.IsZero() {
		s.span(e.Time)
		s.Rate.add(e.Time, e.Size)
	}
	switch {
	case e.Kind == stream.KindGap && e.Gap != nil:
		g.gap(e.Gap)
	case e.Kind == stream.KindMessage && e.Message != nil:
		g.message(e)
	}
}

func (g *Gatherer) gap(x *stream.Gap) {
	reason := x.Reason
	if _, ok := g.gaps[reason]; !ok && len(g.gaps) >= maxReasons {
		reason = "other reasons"
	}
	r := g.gaps[reason]
	if r == nil {
		r = &GapReason{Reason: reason}
		g.gaps[reason] = r
	}
	r.Count++
	if x.Bytes < 0 {
		r.Unknown++
	} else {
		r.Bytes += x.Bytes
	}
}

// message takes a message: who sent it is who the event says, or else the message.
func (g *Gatherer) message(e *stream.Event) {
	m := &moment{Event: e, msg: e.Message, from: e.From, to: e.To}
	if m.from == 0 {
		m.from = m.msg.From
	}
	if m.to == 0 {
		m.to = m.msg.To
	}
	g.s.Messages++
	g.flow(m)
	g.replicate(m)
	g.commits.see(m)
	g.read(m)
	g.elections.see(m)
}

// moment is the message that is being taken.
type moment struct {
	*stream.Event
	msg      *raftpb.Message
	from, to uint64
}

func (g *Gatherer) flow(m *moment) {
	key := flowKey{m.from, m.to, m.msg.Type}
	f := g.flows[key]
	if f == nil {
		if len(g.flows) >= maxFlows {
			g.s.Dropped++
			return
		}
		f = &Flow{From: m.from, To: m.to, Type: m.msg.Type}
		g.flows[key] = f
	}
	f.Count++
	f.Bytes += m.Size
	f.Entries += int64(len(m.msg.Entries))
}

// read takes questions for a read index, and their answers.
func (g *Gatherer) read(m *moment) {
	if len(m.msg.Entries) != 1 {
		return
	}
	context := string(m.msg.Entries[0].Data)
	switch m.msg.Type {
	case raftpb.MsgReadIndex:
		g.reads.begin(readKey{m.from, context}, m.Time)
	case raftpb.MsgReadIndexResp:
		if t, ok := g.reads.end(readKey{m.to, context}); ok {
			g.latencies[KindRead].Add(m.Time.Sub(t))
		}
	}
}

// follower returns what is gathered of a member.
func (g *Gatherer) follower(id uint64) *Follower {
	f := g.followers[id]
	if f == nil {
		f = &Follower{Member: id}
		if len(g.followers) < maxFollowed {
			g.followers[id] = f
		}
	}
	return f
}

// Join adds what another gatherer counted, where it turns out that both summarised the same cluster. What the other
// one was waiting for is lost.
func (g *Gatherer) Join(o *Gatherer) {
	s := &g.s
	s.Events += o.s.Events
	s.Messages += o.s.Messages
	s.Bytes += o.s.Bytes
	s.Dropped += o.s.Dropped
	s.span(o.s.First)
	s.span(o.s.Last)
	for i, n := range o.s.Rate.Sums {
		s.Rate.add(o.s.Rate.Start.Add(time.Duration(i)*o.s.Rate.Width), n)
	}
	for key, f := range o.flows {
		if have := g.flows[key]; have != nil {
			have.Count, have.Bytes, have.Entries = have.Count+f.Count, have.Bytes+f.Bytes, have.Entries+f.Entries
		} else {
			g.flows[key] = f
		}
	}
	for k, h := range o.latencies {
		g.latencies[k].join(h)
	}
	for id, f := range o.followers {
		g.follower(id).join(f)
	}
	for _, x := range o.gaps {
		g.gap(&stream.Gap{Bytes: x.Bytes, Reason: x.Reason})
	}
	g.elections.list = append(o.elections.list, g.elections.list...)
	g.elections.open += o.elections.open
	s.ElectionsSeen += o.s.ElectionsSeen
}

// span widens the time that the summary is of.
func (s *Summary) span(t time.Time) {
	if t.IsZero() {
		return
	}
	if s.First.IsZero() || t.Before(s.First) {
		s.First = t
	}
	if t.After(s.Last) {
		s.Last = t
	}
}

// Summary returns what was gathered so far.
func (g *Gatherer) Summary() *Summary {
	s := g.s
	for _, f := range g.flows {
		s.Flows = append(s.Flows, *f)
	}
	slices.SortFunc(s.Flows, func(a, b Flow) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	for _, k := range kinds {
		if h := g.latencies[k]; h.Count > 0 {
			s.Latencies = append(s.Latencies, Latency{k, h.clone()})
		}
	}
	for _, f := range g.followers {
		c := *f
		c.Append, c.Heartbeat = f.Append.clone(), f.Heartbeat.clone()
		s.Followers = append(s.Followers, c)
	}
	slices.SortFunc(s.Followers, func(a, b Follower) int {
		return cmp.Or(-cmp.Compare(a.Append.Quantile(0.99), b.Append.Quantile(0.99)), cmp.Compare(a.Member, b.Member))
	})
	for _, x := range g.gaps {
		s.Gaps = append(s.Gaps, *x)
	}
	slices.SortFunc(s.Gaps, func(a, b GapReason) int {
		return cmp.Or(-cmp.Compare(a.Count, b.Count), cmp.Compare(a.Reason, b.Reason))
	})
	s.Elections = g.elections.all()
	s.Snapshots = slices.Clone(g.s.Snapshots)
	s.Rate.Sums = slices.Clone(g.s.Rate.Sums)
	return &s
}
