package relay_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/recording"
	"github.com/raftctl/raftctl/decode/stream/relay"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/node"
	"github.com/raftctl/raftctl/raftpb"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// run runs a relay until the function that it returns is called.
func run(t *testing.T, r *relay.Relay, routes ...relay.Route) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx, routes) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func describe(e *stream.Event) string {
	return fmt.Sprintf("%x->%x over %s, %d bytes: %s", e.From, e.To, e.Channel, e.Size, raftpb.DescribeMessage(*e.Message, nil))
}

// told counts what members recorded that they sent.
func told(t *testing.T, dir string, id uint64) map[string]int {
	t.Helper()
	r, err := recording.Open(os.DirFS(filepath.Dir(dir)), filepath.Base(dir))
	check(t, err)
	defer r.Close()
	lines := map[string]int{}
	for e, err := range r.Events() {
		check(t, err)
		if e.Kind == stream.KindMessage && e.From == id {
			lines[describe(e)]++
		}
	}
	return lines
}

// Members that talk through relays work, one of them over a restart, and each message that a relay told of is one
// that its sender recorded, with channel and size.
func TestCluster(t *testing.T) {
	peers := etcdtest.Peers(t, 3)
	var routes []relay.Route
	heard, strange := map[string]int{}, 0
	for i := range peers {
		l := listen(t)
		routes = append(routes, relay.Route{Listener: l, To: strings.TrimPrefix(peers[i].URL, "http://")})
		peers[i].URL = "http://" + l.Addr().String()
	}
	r := relay.New("relay", func(e *stream.Event) bool {
		switch {
		case e.Kind == stream.KindMessage:
			heard[describe(e)]++
		case e.Kind == stream.KindGap || e.Pos.Source != "relay" || e.Time.IsZero():
			strange++
		}
		return true
	})
	stop := run(t, r, routes...)

	configs := make([]node.Config, len(peers))
	members := make([]*node.Node, len(peers))
	for i, p := range peers {
		configs[i] = node.Config{
			Name: p.Name, DataDir: t.TempDir(), InitialCluster: etcdtest.InitialCluster(peers),
			ListenPeerURLs: []string{"http://" + routes[i].To}, AdvertisePeerURLs: []string{p.URL},
			RecordMessages: filepath.Join(t.TempDir(), "talk"),
		}
		members[i] = start(t, configs[i])
	}
	for i := range 30 {
		put(t, members[i%3], fmt.Sprint("key", i))
	}
	id := members[2].ID()
	check(t, members[2].Stop(context.Background()))
	put(t, members[0], "without")
	members[2] = start(t, configs[2])
	if members[2].ID() != id {
		t.Error("another member came back")
	}
	for i := range 10 {
		put(t, members[2], fmt.Sprint("again", i))
	}
	for _, n := range members {
		check(t, n.Stop(context.Background()))
	}
	stop()

	sent := map[string]int{}
	for i, n := range members {
		for line, count := range told(t, configs[i].RecordMessages, n.ID()) {
			sent[line] += count
		}
	}
	for line, n := range heard {
		if sent[line] < n {
			t.Errorf("heard %d times, sent %d times: %s", n, sent[line], line)
		}
	}
	if passed, _ := r.Conns(); len(heard) < 60 || strange > 0 || passed < 12 {
		t.Errorf("%d messages of %d were heard, %d gaps, on %d connections", len(heard), len(sent), strange, passed)
	}
}

func start(t *testing.T, cfg node.Config) *node.Node {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	n, err := node.Start(ctx, cfg)
	check(t, err)
	t.Cleanup(func() { _ = n.Stop(context.Background()) })
	return n
}

func put(t *testing.T, n *node.Node, key string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	select {
	case <-n.Ready():
	case <-ctx.Done():
		t.Fatal("not ready")
	}
	_, err := n.Propose(ctx, &etcdserverpb.InternalRaftRequest{
		Put: &etcdserverpb.PutRequest{Key: []byte(key), Value: []byte("a value")},
	})
	check(t, err)
}

// echo answers each connection with what it is sent.
func echo(t *testing.T) net.Listener {
	t.Helper()
	l := listen(t)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	return l
}

// Bytes are passed on while nobody takes events, and what was not decoded is a gap of its length.
func TestNeverWaits(t *testing.T) {
	behind, front := echo(t), listen(t)
	block := make(chan struct{})
	var gaps []stream.Gap
	r := relay.New("relay", func(e *stream.Event) bool {
		<-block
		if e.Kind == stream.KindGap {
			gaps = append(gaps, *e.Gap)
		}
		return true
	})
	stop := run(t, r, relay.Route{Listener: front, To: behind.Addr().String()})
	c, err := net.Dial("tcp", front.Addr().String())
	check(t, err)
	request := "POST /raft HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"
	_, err = io.WriteString(c, request)
	check(t, err)
	check(t, skip(c, len(request)))
	part := bytes.Repeat([]byte("z"), 64<<10)
	for range 3000 { // 190 MB, far more than may wait
		_, err := c.Write(part)
		check(t, err)
		check(t, skip(c, len(part)))
	}
	close(block)
	check(t, c.Close())
	stop()
	missing := int64(0)
	for _, g := range gaps {
		missing += max(0, g.Bytes)
	}
	if missing < 50<<20 {
		t.Errorf("%d bytes are missing, want 50 MiB or more: %v", missing, gaps)
	}
}

func skip(r io.Reader, n int) error {
	_, err := io.CopyN(io.Discard, r, int64(n))
	return err
}

// A connection to nobody is hung up on, and the relay goes on.
func TestNobodyListens(t *testing.T) {
	behind, front := listen(t), listen(t)
	to := behind.Addr().String()
	check(t, behind.Close())
	r := relay.New("relay", func(*stream.Event) bool { return true })
	run(t, r, relay.Route{Listener: front, To: to})
	c, err := net.Dial("tcp", front.Addr().String())
	check(t, err)
	if n, err := c.Read(make([]byte, 1)); err == nil {
		t.Errorf("%d bytes came from nobody", n)
	}
	l, err := net.Listen("tcp", to)
	check(t, err)
	defer l.Close()
	c, err = net.Dial("tcp", front.Addr().String())
	check(t, err)
	defer c.Close()
	in, err := l.Accept()
	check(t, err)
	bothWays(t, c, in)
	if passed, failed := r.Conns(); passed != 1 || failed != 1 {
		t.Errorf("%d connections passed on, %d failed, want one each", passed, failed)
	}
}

// bothWays checks that what is said on one end of a connection comes out at the other, and back, each with its end.
func bothWays(t *testing.T, c, in net.Conn) {
	t.Helper()
	_, err := io.WriteString(c, "hello")
	check(t, err)
	check(t, c.(interface{ CloseWrite() error }).CloseWrite())
	if got, err := io.ReadAll(in); string(got) != "hello" || err != nil {
		t.Errorf("%q, %v came through", got, err)
	}
	_, err = io.WriteString(in, "and back")
	check(t, err)
	check(t, in.Close())
	if got, err := io.ReadAll(c); string(got) != "and back" || err != nil {
		t.Errorf("%q, %v came back", got, err)
	}
}
