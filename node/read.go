package node

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"time"

	"go.etcd.io/etcd/server/v3/etcdserver/errors"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
)

// readRetry is after how long a question for the index of a read is asked again; it is etcd's.
const readRetry = 500 * time.Millisecond

// reads makes reads linearizable: it asks the leader how far the log is committed, once for all that wait,
// and lets them go on when this member has applied as much.
type reads struct {
	n        *Node
	wake     chan struct{}
	answers  chan []raft.ReadState
	nowReady chan struct{} // a leader has committed in its term: what it passed over can be asked again

	mu   sync.Mutex
	next *readRound
}

// readRound is those who wait for one answer.
type readRound struct {
	done chan struct{}
	err  error
}

func newReads(n *Node) *reads {
	return &reads{
		n: n, wake: make(chan struct{}, 1), answers: make(chan []raft.ReadState, 1),
		nowReady: make(chan struct{}, 1), next: &readRound{done: make(chan struct{})},
	}
}

// Read returns when the state of this member is at least what it was in the cluster when Read was called: a
// read of it is then linearizable.
func (n *Node) Read(ctx context.Context) error {
	r := n.reads
	r.mu.Lock()
	round := r.next
	r.mu.Unlock()
	signal(r.wake)
	select {
	case <-round.done:
		return round.err
	case <-ctx.Done():
		return ctx.Err()
	case <-n.ctx.Done():
		return errors.ErrStopped
	}
}

// signal leaves a sign, unless there is one already.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// answer takes the core's answers; the last says the most.
func (r *reads) answer(states []raft.ReadState) {
	select {
	case <-r.answers: // nobody took it
	default:
	}
	r.answers <- slices.Clone(states)
}

func (r *reads) retry() { signal(r.nowReady) }

func (r *reads) run() {
	for {
		select {
		case <-r.wake:
		case <-r.n.ctx.Done():
			return
		}
		r.mu.Lock()
		round := r.next
		r.next = &readRound{done: make(chan struct{})}
		r.mu.Unlock()
		round.err = r.serve()
		close(round.done)
	}
}

// serve returns when what was committed at its beginning is applied.
func (r *reads) serve() error {
	ctx, cancel := context.WithTimeout(r.n.ctx, r.n.RequestTimeout())
	defer cancel()
	index, err := r.ask(ctx)
	if err != nil {
		r.n.metrics.failedReads.Inc()
		return err
	}
	select {
	case <-r.n.AppliedWait(index):
		return nil
	case <-ctx.Done():
		return r.ended(errors.ErrTimeoutWaitAppliedIndex)
	}
}

func (r *reads) ended(timeout error) error {
	if r.n.ctx.Err() != nil {
		return errors.ErrStopped
	}
	return timeout
}

// ask asks for the index, again and again, each time under another ID: an answer to any of them will do,
// while one to an earlier round would be too old.
func (r *reads) ask(ctx context.Context) (uint64, error) {
	changed, lead := r.n.LeaderChanged(), r.n.standing.lead.Load()
	tick := time.NewTicker(readRetry)
	defer tick.Stop()
	var asked []uint64
	for again := true; ; {
		if again {
			id := r.n.ids.Next()
			asked = append(asked, id)
			question := binary.BigEndian.AppendUint64(nil, id)
			r.n.loop.tell(func(core *raft.RawNode) error { return core.ReadIndex(question) })
		}
		select {
		case states := <-r.answers:
			if index, ok := answered(states, asked); ok {
				return index, nil
			}
			again = false
		case <-tick.C:
			again = true
			r.n.metrics.slowReads.Inc()
		case <-r.nowReady:
			again = true
		case <-changed:
			if now := r.n.standing.lead.Load(); now != raftpb.None && now != lead {
				return 0, errors.ErrLeaderChanged
			}
			changed, again = r.n.LeaderChanged(), false
		case <-ctx.Done():
			return 0, r.ended(errors.ErrTimeout)
		}
	}
}

// answered returns the index of an answer to one of the questions.
func answered(states []raft.ReadState, asked []uint64) (uint64, bool) {
	for _, s := range slices.Backward(states) {
		if len(s.RequestCtx) == 8 && slices.Contains(asked, binary.BigEndian.Uint64(s.RequestCtx)) {
			return s.Index, true
		}
	}
	return 0, false
}
