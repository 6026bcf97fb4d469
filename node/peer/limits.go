package peer

import (
	"context"
	"sync/atomic"
	"time"
)

// limits bound what others may have this member do at a time.
type limits struct{ posts, proposals, snapshots gate }

func newLimits() limits {
	return limits{
		posts: make(gate, maxPosts), proposals: make(gate, maxProposals), snapshots: make(gate, maxSnapshots),
	}
}

// gate lets as many in as it has room for.
type gate chan struct{}

// try reports whether there was room.
func (g gate) try() bool {
	select {
	case g <- struct{}{}:
		return true
	default:
		return false
	}
}

// wait returns when there is room, or ctx ends.
func (g gate) wait(ctx context.Context) error {
	select {
	case g <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (g gate) leave() { <-g }

// seldom keeps a log from being flooded.
type seldom struct{ last atomic.Int64 }

// now reports whether it is time to say it again.
func (s *seldom) now() bool {
	last, now := s.last.Load(), time.Now().UnixNano()
	return now-last > int64(time.Second) && s.last.CompareAndSwap(last, now)
}
