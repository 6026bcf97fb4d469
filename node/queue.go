package node

import (
	"context"
	"sync"
)

// queue holds what goroutines have for one other, bounded by bytes.
type queue[T any] struct {
	limit int64
	ready chan struct{} // holds one element while something is there

	mu    sync.Mutex
	items []T
	lent  []T // what take returned; the next items go there
	size  int64
	room  chan struct{} // closed when items are taken, and then another
}

func newQueue[T any](limit int64) *queue[T] {
	return &queue[T]{limit: limit, ready: make(chan struct{}, 1), room: make(chan struct{})}
}

// put adds an item of a size in bytes. It waits for room until the context ends; what is larger than the
// whole queue is taken when it is empty.
func (q *queue[T]) put(ctx context.Context, item T, size int64) error {
	for {
		q.mu.Lock()
		if q.size == 0 || q.size+size <= q.limit {
			q.push(item, size)
			q.mu.Unlock()
			return nil
		}
		room := q.room
		q.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// add adds an item that its maker has bounded already.
func (q *queue[T]) add(item T, size int64) {
	q.mu.Lock()
	q.push(item, size)
	q.mu.Unlock()
}

func (q *queue[T]) push(item T, size int64) {
	q.items = append(q.items, item)
	q.size += size
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// maxLent is how many items a queue keeps room for.
const maxLent = 1 << 10

// take returns everything that is there, and makes room. What it returned before is taken back.
func (q *queue[T]) take() []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	clear(q.lent)
	if cap(q.lent) > maxLent {
		q.lent = nil
	}
	items := q.items
	q.items, q.lent, q.size = q.lent[:0], items, 0
	close(q.room)
	q.room = make(chan struct{})
	return items
}

// bytes returns the size of what is there.
func (q *queue[T]) bytes() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.size
}
