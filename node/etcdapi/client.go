package etcdapi

import (
	"context"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3election"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3election/v3electionpb"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3lock"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3lock/v3lockpb"
	"go.etcd.io/etcd/server/v3/proxy/grpcproxy/adapter"
	"google.golang.org/grpc"

	"github.com/raftctl/raftctl/node"
)

// leaseTimeout bounds how long the client waits for the first answer about a lease that it keeps alive.
const leaseTimeout = time.Second

// newClient returns a client that calls the services within the process, as the user that a call's context
// names. It ends when the node begins to stop.
func newClient(n *node.Node, s *services) *clientv3.Client {
	c := clientv3.NewCtxClient(context.Background())
	c.KV = clientv3.NewKVFromKVClient(adapter.KvServerToKvClient(s.kv), c)
	c.Lease = clientv3.NewLeaseFromLeaseClient(adapter.LeaseServerToLeaseClient(s.lease), c, leaseTimeout)
	c.Watcher = ownStreams{clientv3.NewWatchFromWatchClient(adapter.WatchServerToWatchClient(s.watch), c)}
	go func() {
		<-n.Stopping()
		_ = c.Close() // there is no connection
	}()
	return c
}

// ownStreams gives each watch a stream of its own. The client library would let watches share one whose contexts
// have the same text, and they would share the user of the first.
type ownStreams struct{ clientv3.Watcher }

// Watch implements clientv3.Watcher.
func (w ownStreams) Watch(ctx context.Context, key string, options ...clientv3.OpOption) clientv3.WatchChan {
	return w.Watcher.Watch(&ownText{ctx}, key, options...)
}

// ownText is a context whose text is no other's, and says nothing of the values in it.
type ownText struct{ context.Context }

// String implements fmt.Stringer.
func (c *ownText) String() string { return fmt.Sprintf("watch %p", c) }

// registerRecipes registers the services Lock and Election, which etcd makes of its other services: the order in
// which their keys were created is the order of those who wait.
func registerRecipes(to *grpc.Server, c *clientv3.Client) {
	v3lockpb.RegisterLockServer(to, v3lock.NewLockServer(c))
	v3electionpb.RegisterElectionServer(to, v3election.NewElectionServer(c))
}
