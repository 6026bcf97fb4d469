package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/etcdserver/api/snap"
	ref "go.etcd.io/raft/v3/raftpb"

	"github.com/raftctl/raftctl/raftpb"
)

// counter is a Handler that lets the sender go on.
type counter struct {
	*recorder
	window chan struct{}
}

func (c counter) Process(context.Context, raftpb.Message) error {
	<-c.window
	return nil
}

// refCounter is the same for the reference.
type refCounter struct {
	refHandler
	window chan struct{}
}

func (c refCounter) Process(context.Context, *ref.Message) error {
	<-c.window
	return nil
}

// inFlight is how many messages are under way at a time, so that none is dropped.
const inFlight = 256

// BenchmarkStream has messages go from one member to another, by our transport and by etcd's.
func BenchmarkStream(b *testing.B) {
	kinds := map[string][]raftpb.Message{"heartbeats": {heartbeat(1, 2, 7)}}
	for _, shape := range [][2]int{{1, 256}, {64, 1024}} {
		kinds[fmt.Sprintf("appends=%dx%d", shape[0], shape[1])] = ringOfAppends(shape[0], shape[1])
	}
	for kind, ring := range kinds {
		size := int64(ring[0].Size(raftpb.FlavorPbgo))
		b.Run(kind+"/impl=ours", func(b *testing.B) { benchOurs(b, ring, size) })
		b.Run(kind+"/impl=ref", func(b *testing.B) { benchReference(b, ring, size) })
	}
}

// ringOfAppends are consecutive appends, each of some entries with some bytes.
func ringOfAppends(entries, size int) (ring []raftpb.Message) {
	index := uint64(0)
	for range 4 * inFlight {
		m := raftpb.Message{Type: raftpb.MsgApp, From: 1, To: 2, Term: 3, LogTerm: 3, Index: index, Commit: index}
		for range entries {
			index++
			m.Entries = append(m.Entries, raftpb.Entry{Term: 3, Index: index, Data: make([]byte, size)})
		}
		ring = append(ring, m)
	}
	return ring
}

func benchOurs(b *testing.B, ring []raftpb.Message, size int64) {
	window := make(chan struct{}, inFlight)
	from := newNode(b, 1)
	to := newNode(b, 2, func(c *Config) { c.Handler = counter{c.Handler.(*recorder), window} })
	connect(b, from, to)
	b.SetBytes(size)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		enter(b, window)
		from.Send(ring[i : i+1])
		i = (i + 1) % len(ring)
	}
	drain(b, window)
}

func benchReference(b *testing.B, ring []raftpb.Message, size int64) {
	window := make(chan struct{}, inFlight)
	from, to := newReference(b, 1, transport.TLSInfo{}), newReference(b, 2, transport.TLSInfo{})
	to.Raft = refCounter{refHandler{to.recorder}, window}
	from.AddPeer(2, []string{to.server.URL})
	to.AddPeer(1, []string{from.server.URL})
	theirs := toRef(ring)
	for range 50 { // until its streams are there, which it doesn't tell, more than a few at a time get lost
		enter(b, window)
		from.Send(theirs[:1])
		eventually(b, "arrives", func() bool { return len(window) == 0 })
		time.Sleep(5 * time.Millisecond)
	}
	b.SetBytes(size)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		enter(b, window)
		from.Send(theirs[i : i+1])
		i = (i + 1) % len(ring)
	}
	drain(b, window)
}

// enter waits until there is room for one more message.
func enter(b *testing.B, window chan struct{}) {
	select {
	case window <- struct{}{}:
		return
	default:
	}
	select {
	case window <- struct{}{}:
	case <-time.After(30 * time.Second):
		b.Fatal("a message got lost")
	}
}

// drain waits until everything has arrived.
func drain(b *testing.B, window chan struct{}) {
	for range inFlight {
		enter(b, window)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

// BenchmarkSnapshot has a database go from one member to another.
func BenchmarkSnapshot(b *testing.B) {
	const size = 256 << 20
	m := snapshotMessage(1, 2)
	b.Run("impl=ours", func(b *testing.B) {
		from, to := newNode(b, 1), newNode(b, 2)
		to.onSave = func(m *raftpb.Message, r io.Reader) error { return saveIn(b, r) }
		connect(b, from, to)
		b.SetBytes(size)
		for n := 1; b.Loop(); n++ {
			from.SendSnapshot(m, &zeros{left: size})
			from.wait(b, "report", func() bool { return len(from.snapshots) == n && from.snapshots[n-1] })
		}
	})
	b.Run("impl=ref", func(b *testing.B) {
		from, to := newReference(b, 1, transport.TLSInfo{}), newReference(b, 2, transport.TLSInfo{})
		from.AddPeer(2, []string{to.server.URL})
		b.SetBytes(size)
		for n := 1; b.Loop(); n++ {
			from.SendSnapshot(snap.NewMessage(toRef([]raftpb.Message{m})[0], &zeros{left: size}, size))
			from.wait(b, "report", func() bool { return len(from.snapshots) == n && from.snapshots[n-1] })
		}
	})
}

// saveIn stores a database as etcd does: durably.
func saveIn(b *testing.B, r io.Reader) error {
	f, err := os.Create(filepath.Join(b.TempDir(), "db"))
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, r); err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// zeros is a database of zeros.
type zeros struct{ left int }

func (z *zeros) Read(b []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := min(len(b), z.left)
	clear(b[:n])
	z.left -= n
	return n, nil
}

func (z *zeros) WriteTo(w io.Writer) (int64, error) {
	return io.CopyBuffer(w, struct{ io.Reader }{z}, make([]byte, 32<<10))
}

func (*zeros) Close() error { return nil }
