package peer

import (
	"context"
	"sync"
)

// reports are what Send has to tell the Handler about a member. They are told by a goroutine of their own,
// as the Handler may wait for somebody who waits in Send, and told once however often they came meanwhile.
type reports struct {
	id      uint64
	handler Handler
	ready   chan struct{}

	mu       sync.Mutex
	lost     bool // a message
	snapshot bool // and it was a MsgSnap
}

func newReports(id uint64, h Handler) *reports {
	return &reports{id: id, handler: h, ready: make(chan struct{}, 1)}
}

// unreachable tells that a message got lost.
func (r *reports) unreachable() {
	r.mu.Lock()
	r.lost = true
	r.mu.Unlock()
	r.signal()
}

// noSnapshot tells that a MsgSnap got lost.
func (r *reports) noSnapshot() {
	r.mu.Lock()
	r.snapshot = true
	r.mu.Unlock()
	r.signal()
}

func (r *reports) signal() {
	select {
	case r.ready <- struct{}{}:
	default:
	}
}

func (r *reports) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.ready:
			r.tell()
		}
	}
}

func (r *reports) tell() {
	r.mu.Lock()
	lost, snapshot := r.lost, r.snapshot
	r.lost, r.snapshot = false, false
	r.mu.Unlock()
	if lost {
		r.handler.ReportUnreachable(r.id)
	}
	if snapshot {
		r.handler.ReportSnapshot(r.id, false)
	}
}
