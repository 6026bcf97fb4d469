package node

import (
	"fmt"
	"sync"
	"time"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/recording"
	"github.com/raftctl/raftctl/node/peer"
	wire "github.com/raftctl/raftctl/raftpb/stream"
)

// What waits to be recorded is bounded in messages and bytes: what is more than that is left out, and counted.
const (
	recordInterval = 100 * time.Millisecond // at which it goes to the file
	recordMessages = 1 << 16
	recordBytes    = 32 << 20
)

// recorder keeps what the member says to others and is told by them. Whoever tells it never waits: the disk is
// another goroutine's business.
type recorder struct {
	n *Node
	w *recording.Writer

	wake chan struct{} // much waits

	mu      sync.Mutex
	waiting []passed
	bytes   int64
	dropped int64 // messages that found no room
	failed  bool  // nothing is recorded any more
}

type passed struct {
	at time.Time
	peer.Passed
}

// openRecorder opens the recording that is asked for.
func (n *Node) openRecorder() error {
	dir := n.cfg.RecordMessages
	if dir == "" {
		return nil
	}
	m := recording.Metadata{
		Recorder: n.standing.id, Cluster: n.cluster, Start: time.Now(), MembersAt: n.memory.applied.Load().Index,
	}
	for _, o := range n.store.Cluster().Members() {
		m.Members = append(m.Members, recording.Member{ID: uint64(o.ID), Name: o.Name, Learner: o.IsLearner})
	}
	w, aside, err := recording.Continue(dir, m, recording.Options{Flavor: n.cfg.flavor(), Keep: n.cfg.RecordSegments})
	if err != nil {
		return fmt.Errorf("recording of messages: %w", err)
	}
	if aside != "" {
		n.log.Warn("the recording is damaged; a new one is begun", "path", dir, "damaged", aside)
	}
	n.recorder = &recorder{n: n, w: w, wake: make(chan struct{}, 1)}
	return nil
}

// tap returns what the transport is to tell.
func (r *recorder) tap() func(*peer.Passed) {
	if r == nil {
		return nil
	}
	return r.passed
}

func (r *recorder) passed(p *peer.Passed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed {
		return
	}
	if len(r.waiting) > 0 && (len(r.waiting) >= recordMessages || r.bytes+p.Size > recordBytes) {
		r.dropped++
		return
	}
	r.waiting = append(r.waiting, passed{time.Now(), *p})
	r.bytes += p.Size
	if len(r.waiting) == recordMessages/2 || r.bytes > recordBytes/2 {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
}

// run writes what waits, until the member stops; close writes the rest.
func (r *recorder) run() {
	if r == nil {
		return
	}
	tick := time.NewTicker(recordInterval)
	defer tick.Stop()
	var spare []passed
	for {
		select {
		case <-tick.C:
		case <-r.wake:
		case <-r.n.ctx.Done():
			return
		}
		spare = r.write(spare)
	}
}

// write writes what waits, and returns a list for what will.
func (r *recorder) write(spare []passed) []passed {
	r.mu.Lock()
	list, dropped := r.waiting, r.dropped
	r.waiting, r.bytes, r.dropped = spare[:0], 0, 0
	r.mu.Unlock()
	err := r.append(list)
	if err == nil && dropped > 0 {
		err = r.w.Append(&stream.Event{Kind: stream.KindGap, Time: time.Now(), Gap: &stream.Gap{
			Bytes: -1, Reason: fmt.Sprintf("%d messages were not recorded: they came faster than they could be written", dropped),
		}})
	}
	if err == nil {
		err = r.w.Flush()
	}
	if err != nil {
		r.fail(err)
	}
	clear(list) // their entries are not kept
	return list
}

func (r *recorder) append(list []passed) error {
	for i := range list {
		e := event(&list[i], r.n.standing.id)
		if err := r.w.Append(&e); err != nil {
			return err
		}
	}
	return nil
}

// event returns the event that a message is to the member with the ID own.
func event(p *passed, own uint64) stream.Event {
	e := stream.Event{
		Kind: stream.KindMessage, Time: p.at, From: p.Peer, To: own,
		Channel: stream.Channel(p.Channel), Conn: p.Conn, Size: p.Size, Message: &p.Message,
	}
	if p.Sent {
		e.From, e.To = own, p.Peer
	}
	if wire.IsLinkHeartbeat(&p.Message) {
		e.Kind, e.Message = stream.KindLinkHeartbeat, nil
	}
	return e
}

// fail ends the recording: the member goes on without it.
func (r *recorder) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.failed {
		r.n.log.Error("messages are not recorded any more", "path", r.n.cfg.RecordMessages, "error", err)
	}
	r.failed, r.waiting = true, nil
}

// close writes what is left when the transport has stopped.
func (r *recorder) close() error {
	if r == nil {
		return nil
	}
	r.write(nil)
	r.mu.Lock()
	failed := r.failed
	r.failed = true
	r.mu.Unlock()
	if err := r.w.Close(); !failed {
		return err
	}
	return nil // it is known
}
