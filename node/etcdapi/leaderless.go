package etcdapi

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"

	"github.com/raftctl/raftctl/node"
)

// patience is how many election timeouts a stream outlives its member's leader: to connect anew costs a client
// more than to wait.
const patience = 3

// leaderless ends streams when the member has had no leader for long.
type leaderless struct {
	mu      sync.Mutex
	streams map[*context.CancelCauseFunc]struct{}
}

// watchLeader ends the streams that join, until the node stops.
func watchLeader(n *node.Node) *leaderless {
	l := &leaderless{streams: map[*context.CancelCauseFunc]struct{}{}}
	go func() {
		t := time.NewTicker(n.Config().ElectionTimeout)
		defer t.Stop()
		for without := 0; ; {
			select {
			case <-n.Stopping():
				return
			case <-t.C:
			}
			if without++; n.HasLeader() {
				without = 0
			}
			if without >= patience {
				l.end()
			}
		}
	}()
	return l
}

// join returns the context of a stream, whose error says that there is no leader if it ended for that, and what
// is to be called when the stream has ended.
func (l *leaderless) join(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.streams[&cancel] = struct{}{}
	return leaderContext{ctx}, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.streams, &cancel)
		cancel(nil)
	}
}

func (l *leaderless) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for cancel := range l.streams {
		(*cancel)(rpctypes.ErrGRPCNoLeader)
	}
	clear(l.streams)
}

// leaderContext has the loss of the leader for its error, which a service returns to its client.
type leaderContext struct{ context.Context }

// Err implements context.Context.
func (c leaderContext) Err() error {
	err := c.Context.Err()
	if err != nil && errors.Is(context.Cause(c.Context), rpctypes.ErrGRPCNoLeader) {
		return rpctypes.ErrGRPCNoLeader
	}
	return err
}
