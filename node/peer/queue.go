package peer

import (
	"sync"

	"github.com/raftctl/raftctl/raftpb"
)

// queue holds messages that wait, bounded in number and bytes. Any number of goroutines may push and
// pop. Invariant: when a message waits, ready holds a token or somebody is about to pop.
type queue struct {
	ready chan struct{} // receive, then pop

	mu       sync.Mutex
	in, out  []raftpb.Message // out is older
	head     int              // of out
	size     int
	messages int // the bound
}

func newQueue(messages int) *queue {
	return &queue{ready: make(chan struct{}, 1), messages: messages}
}

// push reports whether there was room. A message of any size has room in an empty queue.
func (q *queue) push(m *raftpb.Message) bool {
	size := footprint(m)
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.count()
	if n >= q.messages || n > 0 && q.size+size > queueBytes {
		return false
	}
	q.in = append(q.in, *m)
	q.size += size
	q.signal()
	return true
}

// pop takes the oldest message. As long as there are more, it sees to it that ready holds a token.
func (q *queue) pop(m *raftpb.Message) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.head == len(q.out) {
		q.in, q.out, q.head = q.out[:0], q.in, 0
	}
	if q.head == len(q.out) {
		return false
	}
	*m, q.out[q.head] = q.out[q.head], raftpb.Message{} // nothing of it is kept here
	q.head++
	q.size -= footprint(m)
	if q.count() > 0 {
		q.signal()
	}
	return true
}

// clear drops what waits.
func (q *queue) clear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.in, q.out, q.head, q.size = nil, nil, 0, 0
}

func (q *queue) empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.count() == 0
}

func (q *queue) count() int { return len(q.in) + len(q.out) - q.head }

func (q *queue) signal() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// footprint is about how much memory a message occupies.
func footprint(m *raftpb.Message) int {
	const message, entry = 200, 48
	n := message + len(m.Context) + len(m.Entries)*entry
	for i := range m.Entries {
		n += len(m.Entries[i].Data)
	}
	if m.Snapshot != nil {
		n += len(m.Snapshot.Data)
	}
	return n
}
