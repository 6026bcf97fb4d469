package etcdapi

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.etcd.io/etcd/server/v3/storage/mvcc"
)

// watchServer is the service Watch.
type watchServer struct {
	service
	sending *watchMetrics
	pb.UnimplementedWatchServer
}

func newWatchServer(s service) pb.WatchServer {
	return &watchServer{service: s, sending: newWatchMetrics(s.options.Metrics)}
}

// minProgressInterval is the shortest time between two notices that nothing happened.
const minProgressInterval = 100 * time.Millisecond

// controlQueue is how many answers to a client's requests may wait for the stream. When they do, no more
// requests are read.
const controlQueue = 16

// noWatch is the ID in answers that are about no watch, or about all.
const noWatch = -1

// watchStream is one stream, with any number of watches. Two goroutines work on it: one reads the client's
// requests, and one writes, both the events that the store hands out and the answers.
//
//	client --- requests ---> receive ---> control --+
//	                            |                   +---> send ---> client
//	                            v                   |
//	                          store  ---> events ---+
//
// No queue is without bound: the store's is of 128 batches, and a watch whose events find it full falls
// behind and reads the history again later.
type watchStream struct {
	*watchServer
	stream  pb.Watch_WatchServer
	events  mvcc.WatchStream
	control chan *pb.WatchResponse
	closed  chan struct{} // when nobody writes any more

	// mu makes a watch known in the same moment in which the store has it.
	mu      sync.Mutex
	watches map[mvcc.WatchID]*watch
}

// watch is what a client asked of a watch that the store doesn't know about.
type watch struct {
	announced bool // the client was told its ID
	prevKV    bool
	fragment  bool
	progress  bool // it wants to be told when nothing happens
	quiet     bool // nothing was sent since the last look
}

// Watch implements pb.WatchServer.
func (w *watchServer) Watch(stream pb.Watch_WatchServer) error {
	ws := &watchStream{
		watchServer: w, stream: stream, events: w.node.Store().KV().NewWatchStream(),
		control: make(chan *pb.WatchResponse, controlQueue), closed: make(chan struct{}),
		watches: map[mvcc.WatchID]*watch{},
	}
	stop := make(chan struct{})
	go func() {
		defer close(ws.closed)
		ws.send(stop)
		ws.drain()
	}()
	received := make(chan error, 1)
	// Nothing waits for this goroutine: a stream's Recv returns only when Watch has returned.
	go func() {
		if err := ws.receive(); err != nil { // a client that says no more may still listen
			received <- err
		}
	}()
	err := ws.wait(received)
	close(stop)
	ws.events.Close()
	<-ws.closed
	return err
}

// wait returns when the stream ends, and with what.
func (ws *watchStream) wait(received <-chan error) error {
	var err error
	select {
	case err = <-received:
	case <-ws.stream.Context().Done():
		err = ws.stream.Context().Err()
	case <-ws.node.Stopping():
		return rpctypes.ErrGRPCStopped
	}
	if errors.Is(err, context.Canceled) {
		return rpctypes.ErrGRPCWatchCanceled
	}
	return err
}

// progressInterval is the time between two looks at which watches had nothing. Each stream has its own, so
// that those of clients that began together don't tell all at once.
func (ws *watchStream) progressInterval() time.Duration {
	interval := max(ws.options.ProgressInterval, minProgressInterval)
	return interval + rand.N(interval/10)
}

// answer hands an answer to the sender; false: there is none any more.
func (ws *watchStream) answer(r *pb.WatchResponse) bool {
	r.Header = ws.header()
	r.Header.Revision = ws.events.Rev()
	select {
	case ws.control <- r:
		return true
	case <-ws.closed:
		return false
	}
}
