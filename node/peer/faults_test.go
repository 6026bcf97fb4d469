package peer

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/raftpb/stream"
)

func inHaste(c *Config) { c.times = quick() }

func heartbeat(from, to, commit uint64) raftpb.Message {
	return raftpb.Message{Type: raftpb.MsgHeartbeat, From: from, To: to, Term: 3, Commit: commit}
}

// Connections that break in the midst of a message are dialled again, and no message is half taken.
func TestConnectionsBreak(t *testing.T) {
	a, b := newNode(t, 1, inHaste), newNode(t, 2, inHaste)
	proxy := etcdtest.NewProxy(t, strings.TrimPrefix(a.server.URL, "http://"), 3001, etcdtest.Cut)
	if err := a.AddPeer(2, []string{b.server.URL}); err != nil {
		t.Fatal(err)
	}
	if err := b.AddPeer(1, []string{"http://" + proxy.Endpoint}); err != nil {
		t.Fatal(err)
	}
	sent := appendsOf(1, 2, 3000)
	for i := 0; len(b.received(t, 0)) < 50; i = (i + 1) % len(sent) {
		awaitAttached(t, a.member(2).appends)
		a.Send(sent[i : i+1])
	}
	for _, m := range b.received(t, 50) {
		if i := firstDifference(sent[m.Index:m.Index+1], []raftpb.Message{m}); i >= 0 {
			t.Fatalf("message %d is not what was sent", m.Index)
		}
	}
	a.wait(t, "report", func() bool { return a.unreachable[2] > 0 })
}

func awaitAttached(t testing.TB, w *streamWriter) {
	t.Helper()
	eventually(t, string(w.channel)+" stream", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.current != nil
	})
}

// rawStream dials a stream of n as member 2 and returns the connection, with the headers unread.
func rawStream(t *testing.T, n *node, c stream.Channel) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(n.server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"+
		"%s: 2\r\n%s: 1\r\n%s: c1\r\n%s: 3.6.0\r\n%s: 3.0.0\r\n\r\n", c.Path(2),
		headerFrom, headerTo, headerClusterID, headerServerVersion, headerMinClusterVersion)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// A member that takes nothing more is given up; meanwhile Send doesn't wait, and memory is bounded.
func TestReaderStalls(t *testing.T) {
	a := newNode(t, 1, inHaste)
	if err := a.AddPeer(2, []string{"http://127.0.0.1:1"}); err != nil {
		t.Fatal(err)
	}
	rawStream(t, a, stream.ChannelAppend)
	w := a.member(2).appends
	awaitAttached(t, w)
	big := raftpb.Message{Type: raftpb.MsgApp, From: 1, To: 2, Entries: []raftpb.Entry{{Data: make([]byte, 1<<20)}}}
	for range 1000 {
		a.Send([]raftpb.Message{big})
		w.queue.mu.Lock()
		if w.queue.size > queueBytes {
			t.Fatalf("%d bytes wait", w.queue.size)
		}
		w.queue.mu.Unlock()
	}
	a.wait(t, "report", func() bool { return a.unreachable[2] > 0 })
	eventually(t, "detached", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.current == nil
	})
	if !w.queue.empty() {
		t.Error("messages are kept for a connection that is gone")
	}
}

// A member that dials again replaces its connection: the old one ends properly, the new one is used.
func TestDialledAgain(t *testing.T) {
	a := newNode(t, 1)
	if err := a.AddPeer(2, []string{"http://127.0.0.1:1"}); err != nil {
		t.Fatal(err)
	}
	first := rawStream(t, a, stream.ChannelMessage)
	awaitAttached(t, a.member(2).general)
	second := rawStream(t, a, stream.ChannelMessage)
	all, err := io.ReadAll(first)
	if got := string(all); err != nil || !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") ||
		!strings.HasSuffix(got, "\r\n0\r\n\r\n") {
		t.Errorf("the old connection got %q, %v", got, err)
	}
	awaitAttached(t, a.member(2).general)
	a.Send([]raftpb.Message{heartbeat(1, 2, 5)})
	b := make([]byte, 4096)
	for got := ""; !strings.Contains(got, "\x08\x08\x10\x02\x18\x01\x20\x03"); {
		n, err := second.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		got += string(b[:n])
	}
}

// fake is a member that answers in its own way, and counts the requests by path.
type fake struct {
	*httptest.Server
	streams, posts atomic.Int64
}

func newFake(t *testing.T, answer http.HandlerFunc) *fake {
	t.Helper()
	f := new(fake)
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			f.posts.Add(1)
		} else if strings.HasPrefix(r.URL.Path, "/raft/stream") {
			f.streams.Add(1)
		}
		w.Header().Set(headerServerVersion, "3.6.0")
		answer(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

// Streams that bring nothing, or what no member sends, are given up and dialled again.
func TestBadStreams(t *testing.T) {
	long := binary.BigEndian.AppendUint64(nil, stream.MaxMessage+1)
	for name, body := range map[string][]byte{
		"stalls": nil, "too long": long, "too long an append": append([]byte{2}, long...),
		"a false length": {0, 0, 0, 0, 31, 0, 0, 0}, "half a number": {0, 0},
		"no message": {0, 0, 0, 0, 0, 0, 0, 2, 0xff, 0xff},
	} {
		t.Run(name, func(t *testing.T) {
			a := newNode(t, 1, inHaste)
			f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = w.Write(body)
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			})
			if err := a.AddPeer(2, []string{f.URL}); err != nil {
				t.Fatal(err)
			}
			eventually(t, "dialled again", func() bool { return f.streams.Load() >= 6 })
			if n := len(a.received(t, 0)); n > 0 {
				t.Errorf("%d messages taken", n)
			}
		})
	}
}

// Only what says so for good is told to the Handler as a removal. All else is tried again.
func TestRefusals(t *testing.T) {
	for _, test := range []struct {
		name         string
		stream, post int
		body         string
		told         bool
	}{
		{name: "gone", stream: 410, post: 500, told: true},
		{name: "forbidden post", stream: 404, post: 403, told: true},
		{name: "forbidden mismatch", stream: 404, post: 403, body: `{"message":"` + ErrMismatch.Error() + `"}`},
		{name: "gone post", stream: 404, post: 410},
		{name: "forbidden stream", stream: 403, post: 404},
		{name: "unknown", stream: 404, post: 404},
		{name: "version", stream: 412, post: 412, body: "incompatible version\n"},
		{name: "cluster", stream: 412, post: 412, body: "cluster ID mismatch\n"},
		{name: "mistake", stream: 500, post: 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newNode(t, 1, inHaste)
			f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
				status := test.stream
				if r.Method == http.MethodPost {
					status = test.post
				}
				w.WriteHeader(status)
				_, _ = io.WriteString(w, test.body)
			})
			if err := a.AddPeer(2, []string{f.URL}); err != nil {
				t.Fatal(err)
			}
			a.Send([]raftpb.Message{heartbeat(1, 2, 1)})
			a.wait(t, "report", func() bool { return a.unreachable[2] > 0 })
			eventually(t, "dialled again", func() bool { return f.streams.Load() >= 6 })
			a.wait(t, "told", func() bool { return test.told == (len(a.toldRemoved) > 0) })
			if !a.ActiveSince(2).IsZero() {
				t.Error("the member is active")
			}
		})
	}
}

// A member that tells no version, or one before there were streams, isn't read.
func TestUnsupportedVersions(t *testing.T) {
	for _, version := range []string{"", "2.0.9", "abc", "3.6"} {
		a := newNode(t, 1, inHaste)
		m := heartbeat(2, 1, 1)
		f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
			if w.Header().Set(headerServerVersion, version); version == "" {
				w.Header().Del(headerServerVersion)
			}
			_ = stream.NewMessageWriter(w, raftpb.FlavorGogo).Write(&m)
		})
		if err := a.AddPeer(2, []string{f.URL}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "dialled again", func() bool { return f.streams.Load() >= 4 })
		if n := len(a.received(t, 0)); n > 0 {
			t.Errorf("%q: %d messages taken", version, n)
		}
	}
}

// What is not taken fast enough is dropped: nothing grows, nobody waits.
func TestFullQueues(t *testing.T) {
	a, b := newNode(t, 1), newNode(t, 2)
	blocked := make(chan struct{})
	b.onProcess = func(ctx context.Context, m raftpb.Message) error {
		select {
		case <-blocked:
		case <-ctx.Done():
		}
		return nil
	}
	connect(t, a, b)
	for i := range uint64(3 * queueMessages) {
		a.Send([]raftpb.Message{heartbeat(1, 2, i)})
		if i%512 == 0 { // the stream's own queue isn't to be full
			eventually(t, "sent", a.member(2).general.queue.empty)
		}
	}
	q := b.member(1).received
	eventually(t, "full", func() bool {
		q.mu.Lock()
		defer q.mu.Unlock()
		return q.count() == queueMessages
	})
	close(blocked)
	got := b.received(t, queueMessages)
	for i := range got[:queueMessages] {
		if got[i].Commit != uint64(i) {
			t.Fatalf("message %d has commit %d", i, got[i].Commit)
		}
	}

	c := newNode(t, 3, inHaste)
	hole := etcdtest.NewProxy(t, "", -1, etcdtest.Hang)
	if err := c.AddPeer(2, []string{"http://" + hole.Endpoint}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a snapshot finds no room", func() bool {
		for range pipelineMessages {
			c.Send([]raftpb.Message{heartbeat(3, 2, 1)})
		}
		c.Send([]raftpb.Message{snapshotMessage(3, 2)})
		c.recorder.mu.Lock()
		defer c.recorder.mu.Unlock()
		return c.unreachable[2] > 0 && len(c.snapshots) > 0 && !c.snapshots[0]
	})
}

// A URL that doesn't work gives way to the next one, and new URLs to all others.
func TestURLs(t *testing.T) {
	a, b := newNode(t, 1, inHaste), newNode(t, 2, inHaste)
	dead := "http://127.0.0.1:1"
	if err := a.AddPeer(2, []string{dead, b.server.URL}); err != nil {
		t.Fatal(err)
	}
	if err := b.SetPeer(1, []string{dead}); err != nil {
		t.Fatal(err)
	}
	awaitStreams(t, b.Etcd, 1)
	if err := b.SetPeer(1, []string{a.server.URL}); err != nil {
		t.Fatal(err)
	}
	awaitStreams(t, a.Etcd, 2)
	a.Send([]raftpb.Message{heartbeat(1, 2, 1)})
	b.received(t, 1)
}

// Stop ends whatever is going on, and leaves nothing behind.
func TestStop(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("all at once", func(t *testing.T) {
		a, b := newNode(t, 1), newNode(t, 2)
		b.onProcess = func(ctx context.Context, _ raftpb.Message) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}
		b.onSave = func(_ *raftpb.Message, r io.Reader) error {
			_, err := io.ReadAll(r)
			return err
		}
		connect(t, a, b)
		rawStream(t, a, stream.ChannelMessage)
		hole := etcdtest.NewProxy(t, "", -1, etcdtest.Hang)
		if err := a.AddPeer(3, []string{"http://" + hole.Endpoint}); err != nil {
			t.Fatal(err)
		}
		a.AddRemote(4, []string{"http://" + hole.Endpoint})
		slow := &database{size: 100 << 20, block: make(chan struct{})}
		a.SendSnapshot(snapshotMessage(1, 2), slow)
		for i := range uint64(3000) {
			prop := raftpb.Message{Type: raftpb.MsgProp, From: 1, To: 2}
			a.Send([]raftpb.Message{heartbeat(1, 2, i), heartbeat(1, 3, i), heartbeat(1, 4, i), prop})
		}
		close(slow.block)
		a.Stop()
		b.Stop()
		hole.Close()
	})
	eventually(t, "all goroutines ended", func() bool {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		return runtime.NumGoroutine() <= before
	})
}

// Each stream carries link heartbeats.
func TestLinkHeartbeats(t *testing.T) {
	a := newNode(t, 1, inHaste)
	if err := a.AddPeer(2, []string{"http://127.0.0.1:1"}); err != nil {
		t.Fatal(err)
	}
	for c, frame := range map[stream.Channel]string{
		stream.ChannelAppend:  "1\r\n\x00\r\n",
		stream.ChannelMessage: "1c\r\n\x00\x00\x00\x00\x00\x00\x00\x14\x08\x08",
	} {
		conn, got, buf := rawStream(t, a, c), "", make([]byte, 4096)
		for strings.Count(got, frame) < 3 {
			n, err := conn.Read(buf)
			if err != nil {
				t.Fatalf("%s: %v after %q", c, err, got)
			}
			got += string(buf[:n])
		}
	}
}
