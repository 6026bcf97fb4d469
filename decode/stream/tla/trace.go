package tla

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/raftpb"
)

// The limits of a trace: far more than TLC comes to an end with.
const (
	MaxMessages = 1 << 18 // that are explained
	MaxMembers  = 1 << 6
	maxLog      = 1 << 20 // entries of a log before the first message
)

// ErrTooMany is returned for messages of more than MaxMembers members.
var ErrTooMany = fmt.Errorf("messages of more than %d members", MaxMembers)

// Options says what is known besides the messages.
type Options struct {
	// Members is the membership that the messages begin with; nil: all members that are seen, without those that are
	// added later.
	Members *raftpb.ConfState
}

// Trace collects messages, and explains them.
type Trace struct {
	o    Options
	said []said
	over int64
}

// said is what is kept of a message.
type said struct {
	typ           raftpb.MessageType
	from, to      uint64
	conn          uint64
	term, logTerm uint64
	index, commit uint64
	entries       []saidEntry
	reject        bool
	hint          uint64
	pos           stream.Pos
}

// saidEntry is an entry, with the change that it makes to the membership.
type saidEntry struct {
	term   uint64
	action string // "": none
	id     uint64
}

// New returns a trace of nothing.
func New(o Options) *Trace { return &Trace{o: o} }

// Add takes an event. It keeps no reference to it.
func (t *Trace) Add(e *stream.Event) {
	if e.Kind != stream.KindMessage || e.Message == nil || e.From == 0 || e.To == 0 || e.From == e.To {
		return
	}
	m := e.Message
	switch m.Type {
	case raftpb.MsgVote, raftpb.MsgVoteResp, raftpb.MsgApp, raftpb.MsgAppResp, raftpb.MsgHeartbeat, raftpb.MsgHeartbeatResp, raftpb.MsgSnap:
	default:
		return
	}
	if len(t.said) >= MaxMessages {
		t.over++
		return
	}
	s := said{
		typ: m.Type, from: e.From, to: e.To, conn: e.Conn, term: m.Term, logTerm: m.LogTerm, index: m.Index, commit: m.Commit,
		reject: m.Reject, hint: m.RejectHint, pos: e.Pos,
	}
	if m.Type == raftpb.MsgSnap && m.Snapshot != nil {
		s.index = m.Snapshot.Metadata.Index
	}
	for i := range m.Entries {
		s.entries = append(s.entries, t.entry(&m.Entries[i]))
	}
	t.said = append(t.said, s)
}

// Join takes in what another trace has, whose messages turn out to be of the same cluster.
func (t *Trace) Join(o *Trace) {
	t.said = append(t.said, o.said...)
	t.over += o.over
}

// entry returns what an entry changes.
func (t *Trace) entry(e *raftpb.Entry) saidEntry {
	s := saidEntry{term: e.Term}
	var changes []raftpb.ConfChangeSingle
	switch e.Type {
	case raftpb.EntryConfChange:
		var cc raftpb.ConfChange
		if cc.Unmarshal(e.Data) == nil {
			changes = cc.AsV2().Changes
		}
	case raftpb.EntryConfChangeV2:
		var cc raftpb.ConfChangeV2
		if cc.Unmarshal(e.Data) == nil {
			changes = cc.Changes
		}
	}
	if len(changes) != 1 {
		return s // the specification knows no joint changes
	}
	s.id = changes[0].NodeID
	switch changes[0].Type {
	case raftpb.ConfChangeAddNode:
		s.action = addServer
	case raftpb.ConfChangeAddLearnerNode:
		s.action = addLearner
	case raftpb.ConfChangeRemoveNode:
		s.action = removeServer
	}
	return s
}

// Summary says what was written.
type Summary struct {
	Members  int
	Events   int64
	Messages int64      // that are part of the specification
	LeftOut  int64      // of these, what no run explains
	First    stream.Pos // where the first of them lies
	Why      string     // and why
	// Midway says that the messages don't begin with the cluster: TLC can't follow the trace.
	Midway bool
}

// Write writes the trace.
func (t *Trace) Write(w io.Writer) (*Summary, error) {
	all := t.members()
	if len(all) > MaxMembers {
		return nil, ErrTooMany
	}
	x := t.begin(all, bufio.NewWriter(w))
	x.said, x.done = t.said, make([]bool, len(t.said))
	for i := range t.said {
		for _, early := range x.overtaken(i) {
			x.next(early)
		}
		x.next(i)
	}
	if t.over > 0 {
		x.sum.Messages += t.over
		if x.sum.LeftOut += t.over; x.sum.LeftOut == t.over {
			x.sum.Why = "more messages than are explained"
		}
	}
	return &x.sum, x.out.Flush()
}

// members returns all members that the messages tell of.
func (t *Trace) members() map[uint64]bool {
	all := t.founders()
	for i := range t.said {
		all[t.said[i].from], all[t.said[i].to] = true, true
		for _, e := range t.said[i].entries {
			if e.action == addServer || e.action == addLearner {
				all[e.id] = true
			}
		}
	}
	return all
}

// begin returns the explanation with the state before the first message.
func (t *Trace) begin(all map[uint64]bool, out *bufio.Writer) *explanation {
	x := &explanation{model: model{members: map[uint64]*member{}, net: map[uint64][]*letter{}}, out: out}
	first, term := t.firstLog()
	if x.sum.Midway = term > 1 || first > maxLog; first > maxLog {
		first = 0 // nothing will follow it
	}
	founders := t.founders()
	founding := conf{voters: founders, learners: map[uint64]bool{}}
	log := make([]entry, first)
	for i := range log {
		log[i] = entry{1, &founding}
	}
	x.ids = slices.Sorted(maps.Keys(all))
	for _, founder := range []bool{true, false} { // TLC takes the membership from the first event
		for _, id := range x.ids {
			if founders[id] != founder {
				continue
			}
			m := &member{id: id, role: follower}
			if founder {
				m.term, m.conf, m.log, m.commit = t.firstTerm(), founding, log, first
			}
			x.members[id] = m
			x.write(initState, m, nil, nil)
			x.ready(m)
		}
	}
	x.sum.Members = len(all)
	x.bounds = boundsOf(t.said)
	return x
}

// founders are the members that the messages begin with.
func (t *Trace) founders() map[uint64]bool {
	ids := map[uint64]bool{}
	if t.o.Members != nil {
		for _, id := range t.o.Members.Voters {
			ids[id] = true
		}
		return ids
	}
	added := map[uint64]bool{}
	for i := range t.said {
		s := &t.said[i]
		for _, e := range s.entries {
			if !ids[e.id] && e.action != "" && e.action != removeServer {
				added[e.id] = true
			}
		}
		for _, id := range []uint64{s.from, s.to} {
			if !added[id] {
				ids[id] = true
			}
		}
	}
	return ids
}

// firstLog returns how long the logs are in the beginning, and the term of their last entry: what the first who asks for votes has, or
// what the first entries follow.
func (t *Trace) firstLog() (last, term uint64) {
	for i := range t.said {
		switch s := &t.said[i]; s.typ {
		case raftpb.MsgVote:
			return s.index, s.logTerm
		case raftpb.MsgApp:
			return s.index, s.logTerm
		}
	}
	return 0, 0
}

// firstTerm returns the term before the first campaign.
func (t *Trace) firstTerm() uint64 {
	lowest := uint64(0)
	for i := range t.said {
		if s := &t.said[i]; s.term > 0 && (lowest == 0 || s.term < lowest) {
			lowest = s.term
		}
	}
	return max(lowest, 1) - 1
}
