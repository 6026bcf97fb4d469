package stream_test

import (
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/capture/capturetest"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/raftpb/classic"
	wire "github.com/raftctl/raftctl/raftpb/stream"
)

// spoken is what one end of a connection sends: > is from the one that dialled.
type spoken string

func vote(term int32) spoken {
	m := classic.RequestVote{Term: term, CandidateID: 2, LastLogIndex: 8, LastLogTerm: 4}
	return ">" + spoken(m.AppendTo(nil))
}

func granted(term int32) spoken {
	m := classic.RequestVoteResponse{Term: term, VoteGranted: true}
	return "<" + spoken(m.AppendTo(nil))
}

func entries(seq int32, size int) spoken {
	m := classic.AppendEntries{Term: 5, LeaderID: 2, PrevLogIndex: 8, PrevLogTerm: 4, Seq: seq,
		Entries: []classic.Entry{{Term: 5, Data: []byte(strings.Repeat("x", size))}}}
	return ">" + spoken(m.AppendTo(nil))
}

// toldLines returns what a decoder tells of a connection, in parts of a size.
func toldLines(p stream.Protocol, size int, parts ...spoken) (lines []string) {
	d := stream.NewDecoder(func(e *stream.Event) bool {
		line := fmt.Sprintf("%s %d->%d ", e.Channel, e.From, e.To)
		switch e.Kind {
		case stream.KindMessage:
			line += e.Message.Type.String()
		case stream.KindExchange:
			line += fmt.Sprintf("%s %d", e.Exchange.Method, e.Exchange.Status)
		case stream.KindGap:
			line += "gap: " + e.Gap.Reason
		}
		lines = append(lines, fmt.Sprintf("%s @%d", line, e.Time.Unix()))
		return true
	})
	if p != "" {
		d.UseProtocol(p)
	}
	c := d.Open(1, [2]netip.AddrPort{netip.MustParseAddrPort("10.0.0.1:4000"), netip.MustParseAddrPort("10.0.0.2:80")})
	if parts[0][0] == '>' { // who dials speaks first; else it began before
		c.Begins(0)
		c.Begins(1)
	}
	at := stream.Seen{}
	for i, part := range parts {
		dir := stream.Direction(strings.IndexByte("><", part[0]))
		at.Time = time.Unix(int64(i+1), 0)
		for b := []byte(part[1:]); len(b) > 0; b = b[min(size, len(b)):] {
			c.Data(dir, b[:min(size, len(b))], at)
		}
	}
	c.End(0, true, at)
	c.End(1, true, at)
	return lines
}

// What a connection speaks is told by its first messages, however their bytes come, and those keep their times.
func TestProtocolTold(t *testing.T) {
	const set, ok spoken = ">*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", "<$-1\r\n"
	classicLines := []string{"classic 2->0 MsgVote @1", "classic 0->2 MsgVoteResp @2", "classic 2->0 MsgApp @3"}
	for name, tc := range map[string]struct {
		parts []spoken
		want  []string
	}{
		"vote and answer":      {[]spoken{vote(5), granted(5), entries(1, 9)}, classicLines},
		"a long append first":  {[]spoken{entries(1, 300_000), entries(2, 2), entries(3, 3)}, []string{"classic 2->0 MsgApp @1", "classic 2->0 MsgApp @2", "classic 2->0 MsgApp @3"}},
		"one direction":        {[]spoken{entries(1, 0), vote(6), vote(7)}, []string{"classic 2->0 MsgApp @1", "classic 2->0 MsgVote @2", "classic 2->0 MsgVote @3"}},
		"whoever is dialled":   {[]spoken{"<" + vote(5)[1:], ">" + granted(5)[1:]}, []string{"classic 2->0 MsgVote @1", "classic 0->2 MsgVoteResp @2"}},
		"garbage behind":       {[]spoken{vote(5), granted(5), ">GET / HTTP/1.1\r\n"}, append(classicLines[:2:2], "classic 2->0 gap: offset 0: type 542393671, want 1 to 4 @3")},
		"a command and answer": {[]spoken{set, ok}, []string{"client 0->0 GET 0 @1", "client 0->0 GET 200 @2"}},
		"commands":             {[]spoken{set, set, set}, []string{"client 0->0 GET 0 @1", "client 0->0 GET 0 @2", "client 0->0 GET 0 @3"}},
		"joined at an answer":  {[]spoken{ok, "<+OK\r\n", set}, []string{"client 0->0  200 @1", "client 0->0  200 @2", "client 0->0 GET 0 @3"}},
		"the client dialled":   {[]spoken{"<" + set[1:], ">" + ok[1:]}, []string{"client 0->0 GET 0 @1", "client 0->0 GET 200 @2"}},
	} {
		for _, size := range []int{1, 7, 1000, 1 << 20} {
			if diff := cmp.Diff(tc.want, toldLines("", size, tc.parts...)); diff != "" && (size > 7 || len(tc.parts[0]) < 1000) {
				t.Errorf("%s, in parts of %d: -want +got:\n%s", name, size, diff)
			}
		}
	}
}

// Nothing is told of other traffic, not even of one that begins as a message does.
func TestProtocolOfOthers(t *testing.T) {
	for name, parts := range map[string][]spoken{
		"one message":           {vote(5)},
		"two messages":          {vote(5), vote(5)},
		"no answer to it":       {vote(5), "<\x04\x00\x00\x00\x15\x00\x00\x00" + spoken(make([]byte, 21))},
		"another size":          {">\x01\x00\x00\x00\x11\x00\x00\x00" + spoken(make([]byte, 17)), granted(5)},
		"a wrong count":         {">\x03\x00\x00\x00\x1c\x00\x00\x00" + spoken(make([]byte, 24)) + "\x01\x00\x00\x00", "<\x04\x00\x00\x00\x15\x00\x00\x00" + spoken(make([]byte, 21))},
		"negative terms":        {vote(-5), granted(-5), vote(-4), vote(-3)},
		"MySQL":                 {"<\x4a\x00\x00\x00\x0a8.0.36\x00", ">\x01\x00\x00\x00\x0e", "<\x07\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00"},
		"PostgreSQL":            {">\x00\x00\x00\x08\x04\xd2\x16\x2f", "<S"},
		"MongoDB":               {">\x10\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\xd4\x07\x00\x00", "<\x10\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00"},
		"SSH":                   {"<SSH-2.0-OpenSSH_9.6\r\n", ">SSH-2.0-Go\r\n"},
		"HTTP":                  {">GET / HTTP/1.1\r\nHost: x\r\n\r\n", "<HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
		"HTTP/2":                {">PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "<\x00\x00\x00\x04\x00\x00\x00\x00\x00"},
		"POP3":                  {"<+OK ready\r\n", ">USER x\r\n", "<+OK\r\n"},
		"SMTP":                  {"<220 mail\r\n", ">EHLO x\r\n"},
		"memcached":             {">get k\r\n", "<END\r\n"},
		"one command":           {">*1\r\n$4\r\nPING\r\n"},
		"no word":               {">*1\r\n$4\r\n\x00\x01\x02\x03\r\n", "<+OK\r\n", ">*1\r\n$4\r\n\x00\x01\x02\x03\r\n"},
		"no answer":             {">*1\r\n$4\r\nPING\r\n", "<HTTP/1.1 400 Bad Request\r\n\r\n"},
		"a number is asked for": {">:1\r\n", "<:1\r\n", ">:1\r\n"},
	} {
		if got := toldLines("", 1000, parts...); got != nil {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// What is told to be spoken is read from the first message on; and what isn't, isn't.
func TestProtocolForced(t *testing.T) {
	for _, tc := range []struct {
		p     stream.Protocol
		parts []spoken
		want  []string
	}{
		{stream.ProtocolClassic, []spoken{vote(5)}, []string{"classic 2->0 MsgVote @1"}},
		{stream.ProtocolClassic, []spoken{">*1\r\n$4\r\nPING\r\n"}, []string{"classic 0->0 gap: offset 0: type 168636714, want 1 to 4 @1"}},
		{stream.ProtocolResp, []spoken{">*1\r\n$4\r\nPING\r\n"}, []string{"client 0->0 PING 0 @1"}},
		{stream.ProtocolResp, []spoken{"<PING\r\n", ">+PONG\r\n"}, []string{"client 0->0 PING 0 @1", "client 0->0 PING 200 @2"}},
		{stream.ProtocolResp, []spoken{"<+PONG\r\n", ">PING\r\n"}, []string{"client 0->0  200 @1", "client 0->0 PING 0 @2"}},
		{stream.ProtocolEtcd, []spoken{vote(5), granted(5), vote(6), vote(7)}, nil},
		{stream.ProtocolAuto, []spoken{vote(5), granted(5)}, []string{"classic 2->0 MsgVote @1", "classic 0->2 MsgVoteResp @2"}},
	} {
		if diff := cmp.Diff(tc.want, toldLines(tc.p, 1000, tc.parts...)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tc.p, diff)
		}
	}
}

// A member that is known from one connection is known on others of its host, until several are.
func TestClassicHosts(t *testing.T) {
	var got []string
	d := stream.NewDecoder(func(e *stream.Event) bool {
		got = append(got, fmt.Sprintf("%d->%d %v", e.From, e.To, e.Message.Type))
		return true
	})
	dial := func(id uint64, from, to string, ask, answer classic.Message) {
		c := d.Open(id, [2]netip.AddrPort{netip.MustParseAddrPort(from), netip.MustParseAddrPort(to)})
		c.Data(0, ask.AppendTo(nil), stream.Seen{})
		c.Data(1, answer.AppendTo(nil), stream.Seen{})
	}
	beat := &classic.AppendEntriesResponse{Term: 5, FollowerID: 3, Success: true}
	dial(1, "10.0.0.1:400", "10.0.0.2:80", &classic.RequestVote{Term: 5, CandidateID: 2}, &classic.RequestVoteResponse{Term: 5})
	dial(2, "10.0.0.1:401", "10.0.0.2:80", &classic.AppendEntries{Term: 5, LeaderID: 2}, beat)
	dial(3, "10.0.0.1:402", "10.0.0.2:80", &classic.RequestVote{Term: 6, CandidateID: 2}, &classic.RequestVoteResponse{Term: 6})
	dial(4, "10.0.0.1:403", "10.0.0.2:81", &classic.AppendEntries{Term: 5, LeaderID: 2}, &classic.AppendEntriesResponse{Term: 5, FollowerID: 4})
	dial(5, "10.0.0.1:404", "10.0.0.2:80", &classic.RequestVote{Term: 7, CandidateID: 2}, &classic.RequestVoteResponse{Term: 7})
	want := []string{
		"2->0 MsgVote", "0->2 MsgVoteResp",
		"2->0 MsgApp", "3->2 MsgAppResp",
		"2->3 MsgVote", "3->2 MsgVoteResp",
		"2->3 MsgApp", "4->2 MsgAppResp",
		"2->0 MsgVote", "0->2 MsgVoteResp",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Streams of etcd are read as ever where connections are told apart.
func TestProtocolOfStreams(t *testing.T) {
	frames, err := capturetest.Frames(wire.ChannelMessage, raftpb.FlavorPbgo, wire.Link{From: 1, To: 2},
		[]raftpb.Message{{Type: raftpb.MsgHeartbeat, From: 1, To: 2, Term: 3}})
	if err != nil {
		t.Fatal(err)
	}
	parts := []spoken{">" + spoken(capturetest.StreamRequest(wire.ChannelMessage, 2, 1)), "<" + capturetest.StreamResponse,
		"<" + spoken(capturetest.Chunk(frames[0]))}
	want := []string{"message 2->1 GET 0 @1", "message 1->2 GET 200 @2", "message 1->2 MsgHeartbeat @3"}
	for _, size := range []int{1, 3, 1000} {
		for _, p := range []stream.Protocol{"", stream.ProtocolEtcd} {
			if diff := cmp.Diff(want, toldLines(p, size, parts...)); diff != "" {
				t.Errorf("%s, in parts of %d: -want +got:\n%s", p, size, diff)
			}
		}
	}
}

// Memory is bounded also where many connections may be what they turn out not to be.
func TestGuessIsBounded(t *testing.T) {
	events := 0
	d := stream.NewDecoder(func(*stream.Event) bool {
		events++
		return true
	})
	begin := []byte(entries(1, 8<<20))[1 : 900<<10]
	var conns []*stream.Conn
	for id := range uint64(400) {
		c := d.Open(id, [2]netip.AddrPort{})
		conns = append(conns, c)
		for b := begin; len(b) > 0; b = b[min(len(b), 100<<10):] {
			c.Data(0, b[:min(len(b), 100<<10)], stream.Seen{})
		}
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	if m.HeapAlloc > 2*stream.MaxHeld || events > 0 {
		t.Errorf("%d MiB in use, %d events", m.HeapAlloc>>20, events)
	}
	runtime.KeepAlive(conns)
}

// Whatever byte is another, and wherever a conversation ends, it is told or passed over, and held no longer than it lasts.
func TestProtocolDamaged(t *testing.T) {
	for _, talk := range [][]spoken{
		{vote(5), granted(5), entries(1, 9)},
		{">*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", "<$1\r\nv\r\n", ">*1\r\n$4\r\nPING\r\n"},
	} {
		whole := toldLines("", 1000, talk...)
		for i := range talk {
			for off := 1; off < len(talk[i]); off++ {
				cut := append(slices.Clone(talk[:i]), talk[i][:off])
				if got := toldLines("", 1000, cut...); len(got) > i+1 {
					t.Errorf("cut at %d of part %d: %q", off, i, got)
				}
				for bit := range 8 {
					flipped := slices.Clone(talk)
					b := []byte(talk[i])
					b[off] ^= 1 << bit
					flipped[i] = spoken(b)
					for _, line := range toldLines("", 3, flipped...) {
						if !strings.HasPrefix(line, "c") { // classic or client: no member of etcd's
							t.Errorf("bit %d at %d of part %d: %q", bit, off, i, line)
						}
					}
				}
			}
		}
		if len(whole) != 3 {
			t.Errorf("%q", whole)
		}
	}
}
