package peer

import (
	"runtime"
	"sync"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

func sized(index uint64, bytes int) *raftpb.Message {
	return &raftpb.Message{Type: raftpb.MsgApp, Index: index, Entries: []raftpb.Entry{{Data: make([]byte, bytes)}}}
}

func TestQueueIsBounded(t *testing.T) {
	q := newQueue(3)
	for i := range uint64(3) {
		if !q.push(sized(i, 10)) {
			t.Fatalf("message %d has no room", i)
		}
	}
	if q.push(sized(9, 10)) {
		t.Error("a fourth has room")
	}
	var m raftpb.Message
	if !q.pop(&m) || m.Index != 0 || !q.push(sized(3, queueBytes/2)) || q.push(sized(9, 10)) {
		t.Errorf("popped %d", m.Index)
	}
	for want := uint64(1); want <= 3; want++ {
		if !q.pop(&m) || m.Index != want {
			t.Errorf("popped %d, want %d", m.Index, want)
		}
	}
	if q.pop(&m) || !q.empty() || q.size != 0 {
		t.Errorf("%d bytes in an empty queue", q.size)
	}
}

func TestQueueIsBoundedInBytes(t *testing.T) {
	q := newQueue(100)
	if !q.push(sized(1, 2*queueBytes)) {
		t.Error("a large message has no room in an empty queue")
	}
	if q.push(sized(2, 1)) {
		t.Error("there is room beside it")
	}
	q.clear()
	if !q.push(sized(3, queueBytes/2)) || q.push(sized(4, queueBytes/2)) {
		t.Error("after clear there is another bound")
	}
}

// With several goroutines at either end nothing is lost, nothing comes twice, and nobody sleeps while
// something waits.
func TestQueueConcurrently(t *testing.T) {
	q := newQueue(50)
	const each, producers, consumers = 2000, 3, 4
	var in, out sync.WaitGroup
	for range producers {
		in.Go(func() {
			for i := range uint64(each) {
				for !q.push(sized(i+1, int(i%7))) {
					runtime.Gosched()
				}
			}
		})
	}
	var mu sync.Mutex
	sum, left, done := uint64(0), each*producers, make(chan struct{})
	for range consumers {
		out.Go(func() {
			var m raftpb.Message
			for {
				select {
				case <-done:
					return
				case <-q.ready:
				}
				if !q.pop(&m) {
					continue
				}
				mu.Lock()
				sum += m.Index
				if left--; left == 0 {
					close(done)
				}
				mu.Unlock()
			}
		})
	}
	in.Wait()
	out.Wait()
	if want := uint64(producers * each * (each + 1) / 2); sum != want {
		t.Errorf("sum %d, want %d", sum, want)
	}
}
