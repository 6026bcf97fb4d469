package peer

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"

	"github.com/raftctl/raftctl/raftpb"
)

const testCluster = 0xc1

// recorder is a Handler that remembers what it is told.
type recorder struct {
	onProcess func(context.Context, raftpb.Message) error // nil: it is taken
	onSave    func(*raftpb.Message, io.Reader) error

	mu          sync.Mutex
	messages    []raftpb.Message
	databases   [][]byte
	removed     map[uint64]bool
	unreachable map[uint64]int
	snapshots   []bool
	toldRemoved []uint64
	changed     chan struct{} // closed and replaced
}

func newRecorder() *recorder {
	return &recorder{removed: map[uint64]bool{}, unreachable: map[uint64]int{}, changed: make(chan struct{})}
}

func (r *recorder) record(fn func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fn()
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *recorder) Process(ctx context.Context, m raftpb.Message) error {
	if r.onProcess != nil {
		if err := r.onProcess(ctx, m); err != nil {
			return err
		}
	}
	r.record(func() { r.messages = append(r.messages, m) })
	return nil
}

func (r *recorder) SaveDatabase(m *raftpb.Message, from io.Reader) error {
	if r.onSave != nil {
		return r.onSave(m, from)
	}
	b, err := io.ReadAll(from)
	if err == nil {
		r.record(func() { r.databases = append(r.databases, b) })
	}
	return err
}

func (r *recorder) IsRemoved(id uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.removed[id]
}

func (r *recorder) ReportUnreachable(id uint64) { r.record(func() { r.unreachable[id]++ }) }

func (r *recorder) ReportSnapshot(_ uint64, ok bool) {
	r.record(func() { r.snapshots = append(r.snapshots, ok) })
}

func (r *recorder) Removed(by uint64) {
	r.record(func() { r.toldRemoved = append(r.toldRemoved, by) })
}

// wait returns when done holds, which is called with the lock held.
func (r *recorder) wait(t testing.TB, what string, done func() bool) {
	t.Helper()
	late := time.After(30 * time.Second)
	for {
		r.mu.Lock()
		ok, changed := done(), r.changed
		r.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("%s: not within 30 s", what)
		}
	}
}

// received waits for n messages and returns them.
func (r *recorder) received(t testing.TB, n int) []raftpb.Message {
	t.Helper()
	r.wait(t, "messages", func() bool { return len(r.messages) >= n })
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.messages)
}

// node is a transport with its listener.
type node struct {
	*Etcd
	*recorder
	id     uint64
	server *httptest.Server
}

// quick are times for tests of faults.
func quick() timing {
	return timing{
		idle: 400 * time.Millisecond, beat: 100 * time.Millisecond, retry: 5 * time.Millisecond,
		probe: 50 * time.Millisecond, post: 2 * time.Second, stall: 400 * time.Millisecond, answer: 2 * time.Second,
	}
}

// newNode starts a transport. It stops with the test.
func newNode(t testing.TB, id uint64, change ...func(*Config)) *node {
	t.Helper()
	return newNodeOn(t, id, nil, change...)
}

// newNodeOn has options for the listener.
func newNodeOn(t testing.TB, id uint64, listen []transport.ListenerOption, change ...func(*Config)) *node {
	t.Helper()
	n := &node{recorder: newRecorder(), id: id}
	n.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.HTTP().ServeHTTP(w, r)
	}))
	n.server.Config.ReadHeaderTimeout, n.server.Config.IdleTimeout = 5*time.Second, 5*time.Second
	c := Config{
		ID: id, ClusterID: testCluster, Handler: n.recorder,
		Version: func() string { return "3.6.14" },
		URLs:    func() []string { return []string{n.server.URL} },
	}
	for _, fn := range change {
		fn(&c)
	}
	var err error
	if n.Etcd, err = New(c); err != nil {
		t.Fatal(err)
	}
	startServer(t, n.server, c.TLS, listen...)
	t.Cleanup(func() {
		n.Stop()
		n.server.Close()
	})
	return n
}

// etcdListens are the options that etcd has for its listener.
func etcdListens() []transport.ListenerOption {
	return []transport.ListenerOption{transport.WithTimeout(5*time.Second, 5*time.Second)}
}

func startServer(t testing.TB, s *httptest.Server, info transport.TLSInfo, listen ...transport.ListenerOption) {
	t.Helper()
	scheme := "http"
	if !info.Empty() {
		scheme = "https"
	}
	l, err := transport.NewListenerWithOpts("127.0.0.1:0", scheme, append(listen, transport.WithTLSInfo(&info))...)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Listener.Close() // of one that nobody knows
	s.Listener = l
	s.Start()
	s.URL = scheme + "://" + l.Addr().String()
}

// connect makes members of each other, and waits until each has both streams.
func connect(t testing.TB, nodes ...*node) {
	t.Helper()
	for _, a := range nodes {
		for _, b := range nodes {
			if a != b {
				if err := a.AddPeer(b.id, []string{b.server.URL}); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for _, a := range nodes {
		for _, b := range nodes {
			if a != b {
				awaitStreams(t, a.Etcd, b.id)
			}
		}
	}
}

// awaitStreams waits until the member has dialled both streams.
func awaitStreams(t testing.TB, c *Etcd, id uint64) {
	t.Helper()
	m := c.member(id)
	for _, w := range []*streamWriter{m.appends, m.general} {
		eventually(t, string(w.channel)+" stream", func() bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.current != nil
		})
	}
}

func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !done(); {
		if time.Now().After(end) {
			t.Fatalf("%s: not within 30 s", what)
		}
		time.Sleep(time.Millisecond)
	}
}
