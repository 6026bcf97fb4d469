package peer

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/raftpb/stream"
)

// taps remembers what a tap told.
type taps struct {
	mu  sync.Mutex
	all []Passed
}

func (p *taps) tell(m *Passed) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, *m)
}

// lines returns what was told in one direction, without link heartbeats, in an order of its own.
func (p *taps) lines(sent bool) (lines []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.all {
		if m.Sent == sent && !stream.IsLinkHeartbeat(&m.Message) {
			lines = append(lines, fmt.Sprintf("%s, %d bytes: %s", m.Channel, m.Size, raftpb.DescribeMessage(m.Message, nil)))
		}
	}
	slices.Sort(lines)
	return lines
}

// What one member's tap says was sent is what the other's says came: channel, size and message.
func TestTap(t *testing.T) {
	var said, heard taps
	a := newNode(t, 1, func(c *Config) { c.times, c.Tap = quick(), said.tell })
	b := newNode(t, 2, func(c *Config) { c.times, c.Tap = quick(), heard.tell })
	connect(t, a, b)
	list := []raftpb.Message{
		{Type: raftpb.MsgApp, From: 1, To: 2, Term: 3, LogTerm: 3, Index: 6, Entries: []raftpb.Entry{{Term: 3, Index: 7, Data: []byte("x")}}},
		{Type: raftpb.MsgApp, From: 1, To: 2, Term: 3, LogTerm: 3, Index: 7, Entries: []raftpb.Entry{{Term: 3, Index: 8}}},
		{Type: raftpb.MsgHeartbeat, From: 1, To: 2, Term: 3, Commit: 7},
		{Type: raftpb.MsgProp, From: 1, To: 2, Entries: []raftpb.Entry{{Data: []byte("y")}}},
	}
	a.Send(list)
	b.received(t, len(list))
	post := raftpb.Message{Type: raftpb.MsgVote, From: 1, To: 2, Term: 4}
	a.member(2).pipeline.send(&post)
	b.received(t, len(list)+1)
	a.SendSnapshot(snapshotMessage(1, 2), &database{size: 100})
	b.received(t, len(list)+2)

	want := []string{
		"message, 28 bytes: 1->2 MsgHeartbeat Term:3 Log:0/0 Commit:7",
		"message, 39 bytes: 1->2 MsgProp Term:0 Log:0/0 Entries:[0/0 EntryNormal \"y\"]",
		"msgapp, 31 bytes: 1->2 MsgApp Term:3 Log:3/7 Entries:[3/8 EntryNormal \"\"]",
	}
	got := heard.lines(false)
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("not told of %s; told of\n%q", line, got)
		}
	}
	if sent := said.lines(true); !slices.Equal(sent, got) || len(got) != len(list)+2 {
		t.Errorf("sent\n%q, came\n%q", sent, got)
	}
	eventually(t, "link heartbeats", func() bool { return said.beats(true) > 2 && heard.beats(false) > 2 })
	said.mu.Lock()
	defer said.mu.Unlock()
	conns := map[uint64]stream.Channel{}
	for _, m := range said.all {
		if c, ok := conns[m.Conn]; ok && m.Conn != 0 && c != m.Channel || m.Peer != 2 {
			t.Errorf("connection %d to %d is of %s, and of %s", m.Conn, m.Peer, m.Channel, c)
		}
		conns[m.Conn] = m.Channel
	}
}

func (p *taps) beats(sent bool) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.all {
		if m.Sent == sent && stream.IsLinkHeartbeat(&m.Message) {
			n++
		}
	}
	return n
}
