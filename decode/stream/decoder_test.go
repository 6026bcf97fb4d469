package stream_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/capture/capturetest"
	"github.com/raftctl/raftctl/raftpb"
	wire "github.com/raftctl/raftctl/raftpb/stream"
)

// from are the addresses of the connections of these tests: M3 dials M1.
var from = [2]netip.AddrPort{netip.MustParseAddrPort("10.0.0.3:40000"), netip.MustParseAddrPort("10.0.0.1:2380")}

// rig is a decoder whose events become lines.
type rig struct {
	d     *stream.Decoder
	lines []string
	conns uint64
}

func newRig() *rig {
	r := new(rig)
	r.d = stream.NewDecoder(func(e *stream.Event) bool {
		r.lines = append(r.lines, text(e))
		return true
	})
	return r
}

// open returns a connection, seen from its beginning.
func (r *rig) open() *stream.Conn {
	c := r.join()
	c.Begins(0)
	c.Begins(1)
	return c
}

func (r *rig) join() *stream.Conn {
	r.conns++
	return r.d.Open(r.conns, from)
}

// text puts an event on a line.
func text(e *stream.Event) string {
	head := fmt.Sprintf("%x>%x %s %d ", e.From, e.To, e.Channel, e.Size)
	switch e.Kind {
	case stream.KindMessage:
		m := e.Message
		s := fmt.Sprintf("%v %d/%d c%d", m.Type, m.LogTerm, m.Index, m.Commit)
		for _, entry := range m.Entries {
			s += fmt.Sprintf(" %v:%d", entry.ID(), len(entry.Data))
		}
		return head + s
	case stream.KindLinkHeartbeat:
		return head + "beat"
	case stream.KindExchange:
		x := e.Exchange
		return head + strings.TrimSpace(fmt.Sprintf("%s %s %d %s", x.Method, x.Path, x.Status, x.Note))
	}
	return head + fmt.Sprintf("gap %d %s", e.Gap.Bytes, e.Gap.Reason)
}

func (r *rig) want(t *testing.T, what string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, r.lines); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// feed hands bytes over in pieces of a size.
func feed(c *stream.Conn, dir stream.Direction, b []byte, size int) {
	for piece := range slices.Chunk(b, size) {
		c.Data(dir, piece, stream.Seen{})
	}
}

// appendStream is what M1 sends M3 over an append stream, and what is said of it.
func appendStream(t testing.TB, f raftpb.Flavor) (frames [][]byte, want []string) {
	t.Helper()
	list := capturetest.Appends(3, 18, "v")
	list = append(list, wire.LinkHeartbeat(),
		raftpb.Message{Type: raftpb.MsgApp, From: capturetest.M1, To: capturetest.M3, Term: 4, LogTerm: 4, Index: 20, Commit: 20})
	frames, err := capturetest.Frames(wire.ChannelAppend, f, wire.Link{From: capturetest.M1, To: capturetest.M3}, list)
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		s := fmt.Sprintf("8e9e05c52164694d>a3 msgapp %d ", len(frames[i]))
		switch m := &list[i]; {
		case wire.IsLinkHeartbeat(m):
			s += "beat"
		default:
			s += fmt.Sprintf("%v %d/%d c%d", m.Type, m.LogTerm, m.Index, m.Commit)
			for _, e := range m.Entries {
				s += fmt.Sprintf(" %v:%d", e.ID(), len(e.Data))
			}
		}
		want = append(want, s)
	}
	return frames, want
}

// opening is how a stream of M1 to M3 begins, in both directions, and what is said of it.
func opening(c wire.Channel) (ask, say []byte, want []string) {
	ask, say = capturetest.StreamRequest(c, capturetest.M3, capturetest.M1), []byte(capturetest.StreamResponse)
	return ask, say, []string{
		fmt.Sprintf("a3>8e9e05c52164694d %s %d GET %s 0 at http://10.0.0.3:2380", c, len(ask), c.Path(capturetest.M3)),
		fmt.Sprintf("8e9e05c52164694d>a3 %s %d GET %s 200", c, len(say), c.Path(capturetest.M3)),
	}
}

// A stream is the same events whatever pieces it comes in.
func TestStream(t *testing.T) {
	for _, f := range []raftpb.Flavor{raftpb.FlavorGogo, raftpb.FlavorPbgo} {
		frames, want := appendStream(t, f)
		whole := slices.Concat(frames...)
		ask, say, begin := opening(wire.ChannelAppend)
		for _, chunk := range []int{1, 7, 64, len(whole)} {
			for _, piece := range []int{1, 3, 100, 1 << 20} {
				r := newRig()
				c := r.open()
				feed(c, 0, ask, piece)
				feed(c, 1, slices.Concat(say, capturetest.Chunks(whole, chunk)), piece)
				r.want(t, fmt.Sprint(f, " chunks of ", chunk, ", pieces of ", piece), append(begin, want...)...)
			}
		}
	}
}

// messageStream is what M1 sends M3 over a message stream.
func messageStream(t testing.TB, f raftpb.Flavor) (frames [][]byte, want []string) {
	t.Helper()
	list := []raftpb.Message{
		{Type: raftpb.MsgHeartbeat, From: capturetest.M1, To: capturetest.M3, Term: 4, Commit: 17},
		wire.LinkHeartbeat(),
		{Type: raftpb.MsgHeartbeat, From: capturetest.M1, To: capturetest.M3, Term: 4, Commit: 18, Context: []byte("12345678")},
		{Type: raftpb.MsgTimeoutNow, From: capturetest.M1, To: capturetest.M3, Term: 4},
	}
	frames, err := capturetest.Frames(wire.ChannelMessage, f, wire.Link{}, list)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range []string{"MsgHeartbeat 0/0 c17", "beat", "MsgHeartbeat 0/0 c18", "MsgTimeoutNow 0/0 c0"} {
		want = append(want, fmt.Sprintf("8e9e05c52164694d>a3 message %d %s", len(frames[i]), s))
	}
	return frames, want
}

func TestMessageStream(t *testing.T) {
	for _, f := range []raftpb.Flavor{raftpb.FlavorGogo, raftpb.FlavorPbgo} {
		frames, want := messageStream(t, f)
		r := newRig()
		c := r.open()
		ask, say, begin := opening(wire.ChannelMessage)
		feed(c, 0, ask, 50)
		feed(c, 1, slices.Concat(say, capturetest.Chunks(slices.Concat(frames...), 11)), 50)
		r.want(t, fmt.Sprint(f), append(begin, want...)...)
	}
}

// post is a request of a kept connection.
func post(path string, body []byte, headers string) []byte {
	return append(fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: m1\r\nX-Server-From: a3\r\n%sContent-Length: %d\r\n\r\n",
		path, headers, len(body)), body...)
}

// A pipeline's messages, a snapshot, and what is not Raft.
func TestExchanges(t *testing.T) {
	m := raftpb.Message{Type: raftpb.MsgAppResp, From: capturetest.M3, To: capturetest.M1, Term: 4, Index: 20}
	body := m.Marshal(raftpb.FlavorGogo)
	lease := []byte{0x08, 0x90, 0x4e}
	alive := []byte{0x0a, 0x00, 0x10, 0x90, 0x4e, 0x18, 0x3c}
	members := `[{"id":10276657743932975437,"peerURLs":["http://10.0.0.1:2380"],"name":"m1"},{"id":163,"name":"m3"}]`
	answer := func(status, body string) []byte {
		return fmt.Appendf(nil, "HTTP/1.1 %s\r\nContent-Length: %d\r\nContent-Type: x\r\n\r\n%s", status, len(body), body)
	}
	for _, piece := range []int{1, 1 << 20} {
		r := newRig()
		c := r.open()
		for _, step := range []struct {
			ask, say []byte
		}{
			{post("/raft", body, ""), []byte("HTTP/1.1 204 No Content\r\nX-Etcd-Cluster-Id: c\r\n\r\n")},
			{post("/raft", []byte("nonsense"), ""), answer("400 Bad Request", "error unmarshalling raft message\n")},
			{[]byte("GET /members HTTP/1.1\r\nHost: m1\r\n\r\n"), answer("200 OK", members)},
			{post("/leases", lease, ""), answer("200 OK", string(alive))},
			{[]byte("GET /version HTTP/1.1\r\nHost: m1\r\n\r\n"), []byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
				"33\r\n" + `{"etcdserver":"3.6.16","etcdcluster":"3.6.0","s":""` + "\r\n1\r\n}\r\n0\r\n\r\n")},
			{[]byte("GET /metrics HTTP/1.1\r\nHost: m1\r\n\r\n"), answer("404 Not Found", "404 page not found\n")},
		} {
			feed(c, 0, step.ask, piece)
			feed(c, 1, step.say, piece)
		}
		r.want(t, fmt.Sprint("pieces of ", piece),
			"a3>8e9e05c52164694d pipeline 30 MsgAppResp 0/20 c0",
			"8e9e05c52164694d>a3 pipeline 49 POST /raft 204",
			"a3>8e9e05c52164694d pipeline 8 gap 8 a body that is no message: Message.vote: offset 0: wire type 6, want 0",
			"8e9e05c52164694d>a3 pipeline 98 POST /raft 400 error unmarshalling raft message",
			"0>8e9e05c52164694d peer 35 GET /members 0",
			"8e9e05c52164694d>0 peer 157 GET /members 200 m1=8e9e05c52164694d m3=a3",
			"a3>8e9e05c52164694d peer 76 POST /leases 0 lease 2710",
			"8e9e05c52164694d>a3 peer 62 POST /leases 200 lease 2710, 60 s to live",
			"0>8e9e05c52164694d peer 35 GET /version 0",
			"8e9e05c52164694d>0 peer 99 GET /version 200 server 3.6.16, cluster 3.6.0",
			"0>8e9e05c52164694d peer 35 GET /metrics 0",
			"8e9e05c52164694d>0 peer 82 GET /metrics 404 404 page not found",
		)
	}
}

// A snapshot is its message; the database behind it is only counted.
func TestSnapshot(t *testing.T) {
	m := raftpb.Message{Type: raftpb.MsgSnap, From: capturetest.M1, To: capturetest.M3, Term: 4,
		Snapshot: &raftpb.Snapshot{Data: []byte("{}"), Metadata: raftpb.SnapshotMetadata{Index: 17, Term: 4}}}
	head, err := capturetest.Frames(wire.ChannelMessage, raftpb.FlavorGogo, wire.Link{}, []raftpb.Message{m})
	if err != nil {
		t.Fatal(err)
	}
	body := capturetest.Chunks(append(head[0], make([]byte, 100_000)...), 32<<10)
	ask := []byte("POST /raft/snapshot HTTP/1.1\r\nHost: m1\r\nX-Server-From: 8e9e05c52164694d\r\nTransfer-Encoding: chunked\r\n\r\n")
	for _, piece := range []int{13, 1 << 20} {
		r := newRig()
		c := r.open()
		feed(c, 0, slices.Concat(ask, body, []byte("0\r\n\r\n")), piece)
		feed(c, 1, []byte("HTTP/1.1 204 No Content\r\n\r\n"), piece)
		r.want(t, fmt.Sprint("pieces of ", piece),
			fmt.Sprintf("8e9e05c52164694d>a3 snapshot %d MsgSnap 0/0 c0", len(head[0])),
			"a3>8e9e05c52164694d snapshot 27 POST /raft/snapshot 204 database of 100000 bytes")
	}
}

// What is no connection between members is passed over, and TLS is told once and counted.
func TestOthers(t *testing.T) {
	r := newRig()
	for _, b := range []string{
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "GET /health HTTP/1.1\r\nHost: a\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "5\r\nhello\r\n", strings.Repeat("nothing in particular\r\n", 100_000),
	} {
		feed(r.open(), 0, []byte(b), 1000)
	}
	r.want(t, "others")
	for range 2 {
		c := r.open()
		feed(c, 0, []byte("\x16\x03\x01\x00\x05hello"), 100)
		feed(c, 1, []byte("\x16\x03\x03\x00\x05hello"), 100)
	}
	r.d.Finish(stream.Seen{})
	r.want(t, "TLS", "0>0 peer 0 gap -1 TLS, without a key log", "0>0 peer 0 gap 40 TLS, without a key log: 2 connections")
}
