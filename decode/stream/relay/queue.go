package relay

import (
	"sync"
	"time"

	"github.com/raftctl/raftctl/decode/stream"
)

// What waits to be decoded, at most, beside as much that is being decoded.
const (
	maxBytes  = 64 << 20
	maxChunks = 1 << 16
)

// gather is how long after something came it is taken, with what came meanwhile: to wake somebody for each message would
// take the processors from those who pass the next ones on.
const gather = 5 * time.Millisecond

// chunk is what happened on a connection.
type chunk struct {
	conn  *stream.Conn
	dir   stream.Direction
	begin bool  // it is the first of its direction
	lost  int64 // bytes before it that found no room in the queue
	bytes []byte
	end   bool // nothing follows
	whole bool // since the sender said so
	at    time.Time
}

// queue holds chunks in the order in which they came, until they are taken.
type queue struct {
	mu     sync.Mutex
	list   []chunk
	spare  []chunk // what was taken before, to be used again
	bytes  int
	closed bool
	wake   chan struct{}
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

// add adds a chunk, if there is room, or if it is the last of its direction, which takes none.
func (q *queue) add(c chunk) bool {
	q.mu.Lock()
	if !c.end && (q.bytes+len(c.bytes) > maxBytes || len(q.list) >= maxChunks) {
		q.mu.Unlock()
		return false
	}
	q.list = append(q.list, c)
	q.bytes += len(c.bytes)
	first := len(q.list) == 1
	q.mu.Unlock()
	if first {
		q.notify()
	}
	return true
}

func (q *queue) notify() {
	select {
	case q.wake <- struct{}{}:
	default: // it is told already
	}
}

// close says that nothing is added any more.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.notify()
}

// take waits for chunks and returns them, valid until the next call; ok is false if there are none and none will be.
func (q *queue) take() (list []chunk, ok bool) {
	for {
		<-q.wake
		q.mu.Lock()
		closed := q.closed
		q.mu.Unlock()
		if !closed {
			time.Sleep(gather)
		}
		q.mu.Lock()
		list = q.list
		clear(q.spare)
		q.list, q.spare, q.bytes = q.spare[:0], list, 0
		closed = q.closed
		q.mu.Unlock()
		if closed {
			q.notify() // for the next call
		}
		if len(list) > 0 || closed {
			return list, len(list) > 0
		}
	}
}
