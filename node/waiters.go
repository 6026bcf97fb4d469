package node

import (
	"sync"

	"github.com/raftctl/raftctl/node/kv"
)

// waiters are the callers on this member that wait for the results of their requests, by their IDs.
type waiters struct {
	mu sync.Mutex
	by map[uint64]chan kv.Result
}

func newWaiters() *waiters { return &waiters{by: map[uint64]chan kv.Result{}} }

// wait returns the channel that gets the result of a request. Whoever waits no longer calls leave.
func (w *waiters) wait(id uint64) <-chan kv.Result {
	c := make(chan kv.Result, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.by[id] = c
	return c
}

func (w *waiters) leave(id uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.by, id)
}

// Waiting implements kv.Waiters.
func (w *waiters) Waiting(id uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, ok := w.by[id]
	return ok
}

// Done implements kv.Waiters.
func (w *waiters) Done(id uint64, r kv.Result) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c, ok := w.by[id]; ok {
		c <- r
		delete(w.by, id)
	}
}
