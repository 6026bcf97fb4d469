package nodetest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/raftctl/raftctl/internal/etcdtest"
)

// crowd is clients that ask too much of a member, for as long as ctx lasts. When ready is closed they are all there. How
// many there are is divided by part.
type crowd func(ctx context.Context, tb testing.TB, endpoint string, part int, ready func())

// crowds are those that a member must bear.
var crowds = []struct {
	name string
	come crowd
}{
	{"10,000 idle clients", idle},
	{"requests of 3 MiB", oversize},
	{"watches that don't read", deaf},
	{"100,000 watches", watchers},
	{"streams opened and dropped", fickle},
	{"any bytes", noise},
}

// Whatever crowd comes, the member serves others, and takes no more memory than an etcd does, of which one stands beside
// it: its peak is at most half as much again, and 64 MiB. What it does to the others' puts is told; the figures are in docs/node.md.
func TestCrowds(t *testing.T) {
	part, puts := 20, 200
	if whole() {
		part, puts = 1, 2000
	}
	for _, c := range crowds {
		t.Run(c.name, func(t *testing.T) {
			ours := etcdtest.LaunchProgram(t, []string{program(t), "node", "run"}, "3.7", t.TempDir(), "--name=m1")
			if err := ours.WaitHealthy(); err != nil {
				t.Fatal(err, ours.Log())
			}
			got := bear(t, ours, c.come, part, puts)
			ours.Stop()
			etcd := etcdtest.Start(t, "3.7", t.TempDir(), "--name=m1")
			want := bear(t, etcd, c.come, part, puts)
			etcd.Stop()
			t.Logf("ours %v; etcd %v", got, want)
			if most := want.peak*3/2 + 64<<10; got.peak > most {
				t.Errorf("peak of %d KiB, want at most %d, with etcd's %d", got.peak, most, want.peak)
			}
		})
	}
}

// borne is how others fared with a crowd, and before it.
type borne struct {
	before, during time.Duration // 99th percentile of puts
	peak           int           // KiB
}

func (b borne) String() string {
	return fmt.Sprintf("99%% of puts within %v before and %v (%.1f×) during, peak %d MiB", b.before.Round(10*time.Microsecond),
		b.during.Round(10*time.Microsecond), float64(b.during)/float64(b.before), b.peak>>10)
}

func bear(t *testing.T, s *etcdtest.Server, come crowd, part, puts int) (b borne) {
	t.Helper()
	kv := pb.NewKVClient(connect(t, s.Endpoint))
	b.before = percentile(t, kv, puts)
	ctx, cancel := context.WithCancel(t.Context())
	ready := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { come(ctx, t, s.Endpoint, part, sync.OnceFunc(func() { close(ready) })) })
	select {
	case <-ready:
	case <-time.After(startTimeout):
		t.Error("the crowd isn't there within a minute")
	}
	b.during = percentile(t, kv, puts)
	b.peak = s.PeakKiB()
	cancel()
	wg.Wait()
	return b
}

// percentile puts keys, and returns within which time 99 of 100 are answered.
func percentile(t *testing.T, kv pb.KVClient, puts int) time.Duration {
	t.Helper()
	took := make([]time.Duration, puts)
	for i := range took {
		begun := time.Now()
		if _, err := kv.Put(t.Context(), &pb.PutRequest{Key: fmt.Append(nil, "other", i%100), Value: []byte("value")}); err != nil {
			t.Fatal(err)
		}
		took[i] = time.Since(begun)
	}
	slices.Sort(took)
	return took[len(took)*99/100]
}

func connect(tb testing.TB, endpoint string) *grpc.ClientConn {
	tb.Helper()
	c, err := grpc.NewClient("passthrough:"+endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

// idle is 10,000 clients that greet, and then say nothing.
func idle(ctx context.Context, tb testing.TB, endpoint string, part int, ready func()) {
	var dialer net.Dialer
	greeting := append([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 0, 0, 0, 4, 0, 0, 0, 0, 0)
	for range 10_000 / part {
		c, err := dialer.DialContext(ctx, "tcp", endpoint)
		if err != nil {
			tb.Error(err)
			return
		}
		defer c.Close()
		if _, err := c.Write(greeting); err != nil {
			tb.Error(err)
			return
		}
		if _, err := io.ReadFull(c, make([]byte, 9)); err != nil { // the server's settings
			tb.Error(err)
			return
		}
	}
	ready()
	<-ctx.Done()
}

// pace is how often each client of a crowd comes: what they ask is to be a burden, and not all that the machine can do.
const pace = 100 * time.Millisecond

// oversize is 5 clients that put what is too large, again and again.
func oversize(ctx context.Context, tb testing.TB, endpoint string, _ int, ready func()) {
	request := &pb.PutRequest{Key: []byte("large"), Value: bytes.Repeat([]byte("x"), 3<<20)}
	var wg sync.WaitGroup
	defer wg.Wait()
	for range 5 {
		kv := pb.NewKVClient(connect(tb, endpoint))
		wg.Go(func() {
			for ctx.Err() == nil {
				if _, err := kv.Put(ctx, request); err == nil {
					tb.Error("it takes a value of 3 MiB")
					return
				}
				ready()
				time.Sleep(pace)
			}
		})
	}
}

// watching opens a stream of watches.
func watching(ctx context.Context, tb testing.TB, c *grpc.ClientConn, watches int, key string) pb.Watch_WatchClient {
	stream, err := pb.NewWatchClient(c).Watch(ctx)
	for range watches {
		if err == nil {
			err = stream.Send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: &pb.WatchCreateRequest{Key: []byte(key)}}})
		}
	}
	if err != nil {
		tb.Error(err)
		return nil
	}
	return stream
}

// deaf is 100 streams of watches that nobody reads, while their key changes: 200 times, 100 KiB each time.
func deaf(ctx context.Context, tb testing.TB, endpoint string, part int, ready func()) {
	for range 10 {
		c := connect(tb, endpoint)
		for range 10 {
			if watching(ctx, tb, c, 1, "loud") == nil {
				return
			}
		}
	}
	kv := pb.NewKVClient(connect(tb, endpoint))
	for range max(200/part, 40) {
		if _, err := kv.Put(ctx, &pb.PutRequest{Key: []byte("loud"), Value: make([]byte, 100<<10)}); err != nil {
			tb.Error(err)
			return
		}
	}
	ready()
	<-ctx.Done()
}

// watchers is 100,000 watches, in streams of a thousand, of keys that don't change.
func watchers(ctx context.Context, tb testing.TB, endpoint string, part int, ready func()) {
	const each = 1000
	for i := range 100 / part {
		stream := watching(ctx, tb, connect(tb, endpoint), each, fmt.Sprint("quiet", i))
		for range each {
			if stream == nil {
				return
			}
			if _, err := stream.Recv(); err != nil {
				tb.Error(err)
				return
			}
		}
	}
	ready()
	<-ctx.Done()
}

// fickle is 10 clients that open streams of watches and leave: their connections, or only the streams.
func fickle(ctx context.Context, tb testing.TB, endpoint string, _ int, ready func()) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for i := range 10 {
		wg.Go(func() {
			for ctx.Err() == nil {
				c, err := grpc.NewClient("passthrough:"+endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
				if err != nil {
					tb.Error(err)
					return
				}
				for range 1 + 50*(i%2) {
					one, leave := context.WithCancel(ctx)
					stream, err := pb.NewWatchClient(c).Watch(one)
					if err == nil {
						_ = stream.Send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: &pb.WatchCreateRequest{Key: []byte("k")}}})
						_, _ = stream.Recv() // either way it leaves
					}
					leave()
				}
				_ = c.Close()
				ready()
				time.Sleep(pace)
			}
		})
	}
}

// noise is 10 clients that send what comes to their minds, behind what makes the server listen.
func noise(ctx context.Context, tb testing.TB, endpoint string, _ int, ready func()) {
	beginnings := []string{"", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "POST /v3/kv/put HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999\r\n\r\n",
		"GET /metrics HTTP/1.1\r\n", "\x16\x03\x01", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00\x7f\xff\xff\x01\x05\x00\x00\x00\x01"}
	var wg sync.WaitGroup
	defer wg.Wait()
	for i := range uint64(10) {
		r := rand.New(rand.NewPCG(i, 14))
		wg.Go(func() {
			var dialer net.Dialer
			for ctx.Err() == nil {
				c, err := dialer.DialContext(ctx, "tcp", endpoint)
				if err != nil {
					if ctx.Err() == nil {
						tb.Error(err)
					}
					return
				}
				b := []byte(beginnings[r.IntN(len(beginnings))])
				for range r.IntN(10_000) {
					b = append(b, byte(r.Uint32()))
				}
				_ = c.SetDeadline(time.Now().Add(pace))
				_, _ = c.Write(b) // it may hang up
				_, _ = io.Copy(io.Discard, c)
				_ = c.Close()
				ready()
			}
		})
	}
}
