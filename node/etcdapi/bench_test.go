package etcdapi

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/node"
)

// BenchmarkCalls makes calls of 256 bytes at so many callers, who share ten connections, to a node and to etcds.
func BenchmarkCalls(b *testing.B) {
	value := []byte(strings.Repeat("v", 256))
	var next atomic.Int64
	key := func() []byte { return fmt.Appendf(nil, "key%05d", next.Add(1)%1000) }
	calls := []struct {
		name string
		call func(context.Context, pb.KVClient) error
	}{
		{"put", func(ctx context.Context, c pb.KVClient) error {
			_, err := c.Put(ctx, &pb.PutRequest{Key: key(), Value: value})
			return err
		}},
		{"range", func(ctx context.Context, c pb.KVClient) error {
			_, err := c.Range(ctx, &pb.RangeRequest{Key: key()})
			return err
		}},
		{"serializable", func(ctx context.Context, c pb.KVClient) error {
			_, err := c.Range(ctx, &pb.RangeRequest{Key: key(), Serializable: true})
			return err
		}},
	}
	for _, server := range []string{"ours", "3.6", "3.7"} {
		b.Run("server="+server, func(b *testing.B) {
			clients := connect(b, server)
			for _, c := range calls {
				for _, callers := range []int{1, 100, 1000} {
					b.Run(fmt.Sprintf("call=%s/callers=%d", c.name, callers), func(b *testing.B) {
						drive(b, callers, clients, c.call)
					})
				}
			}
		})
	}
}

// drive makes b.N calls from so many goroutines.
func drive(b *testing.B, callers int, clients []pb.KVClient, call func(context.Context, pb.KVClient) error) {
	b.Helper()
	var made atomic.Int64
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			for made.Add(1) <= int64(b.N) {
				if err := call(b.Context(), clients[i%len(clients)]); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// connect starts a server of its own, and returns its clients.
func connect(b *testing.B, server string) (clients []pb.KVClient) {
	b.Helper()
	var endpoint string
	if server == "ours" {
		_, endpoint = startNode(b, node.Config{}, Options{})
	} else {
		endpoint = etcdtest.Start(b, server, b.TempDir(), etcdtest.Quick...).Endpoint
	}
	for range 10 {
		clients = append(clients, pb.NewKVClient(dial(b, endpoint).conn))
	}
	return clients
}
