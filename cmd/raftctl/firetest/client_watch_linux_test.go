package firetest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// watching is a watcher of all keys by one member.
type watching struct {
	next atomic.Int64 // the revision that it waits for

	mu sync.Mutex
	stream
}

// watch starts a watcher by each seat. They go on after the other clients have ended.
func (s *story) watch() {
	for i, m := range s.seats {
		w := &watching{stream: stream{member: m.number}}
		w.next.Store(firstRevision)
		s.found.streams = append(s.found.streams, w)
		c := s.clients[i]
		done := make(chan struct{})
		ctx, cancel := context.WithCancel(context.Background())
		s.t.Cleanup(func() { cancel(); <-done })
		go func() {
			defer close(done)
			for ctx.Err() == nil {
				s.watchOnce(ctx, c, w)
			}
		}()
	}
}

// watchOnce watches until the watch ends.
func (s *story) watchOnce(ctx context.Context, c *clientv3.Client, w *watching) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	options := []clientv3.OpOption{clientv3.WithPrefix(), clientv3.WithRev(w.next.Load()), clientv3.WithProgressNotify()}
	for r := range c.Watch(ctx, "", options...) {
		if r.CompactRevision != 0 {
			s.t.Errorf("revision %d is compacted, %d not yet told", r.CompactRevision, w.next.Load())
		}
		if r.Err() != nil || r.Created {
			continue
		}
		got := response{at: s.now(), rev: r.Header.Revision}
		for _, e := range r.Events {
			got.events = append(got.events, eventOf(e))
		}
		w.mu.Lock()
		w.responses = append(w.responses, got)
		w.mu.Unlock()
		if n := len(got.events); n > 0 {
			w.next.Store(got.events[n-1].rev + 1)
		}
	}
}

func eventOf(e *clientv3.Event) event {
	return event{
		rev: e.Kv.ModRevision, key: string(e.Kv.Key), value: string(e.Kv.Value), deleted: e.Type == mvccpb.DELETE,
		create: e.Kv.CreateRevision, version: e.Kv.Version, lease: e.Kv.Lease,
	}
}

// awaitWatchers waits until all watchers were told of a revision, and returns what they were told.
func (s *story) awaitWatchers(last int64) (streams []stream) {
	for _, w := range s.found.streams {
		s.await(fmt.Sprintf("the watcher of member %d is told of revision %d", w.member, last),
			func() bool { return w.next.Load() > last })
		w.mu.Lock()
		streams = append(streams, stream{member: w.member, responses: w.responses[:len(w.responses):len(w.responses)]})
		w.mu.Unlock()
	}
	return streams
}

// told returns the revision up to which all watchers were told of all.
func (s *story) told() int64 {
	least := int64(never)
	for _, w := range s.found.streams {
		least = min(least, w.next.Load()-1)
	}
	return least
}
