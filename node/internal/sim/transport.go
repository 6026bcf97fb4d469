package sim

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/raftctl/raftctl/node/internal/machine"
	"github.com/raftctl/raftctl/node/peer"
	"github.com/raftctl/raftctl/raftpb"
)

// socket is the network as one life of a member has it.
type socket struct {
	net *network
	l   *life
}

var _ machine.Network = socket{}

// Transport implements [machine.Network].
func (s socket) Transport(c peer.Config) (peer.Transport, error) {
	t := &transport{
		net: s.net, seat: s.l.seat, l: s.l, cfg: c,
		known: map[uint64]bool{}, since: map[uint64]time.Time{},
	}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	s.net.live[c.ID] = t
	t.running.Go(t.dial)
	return t, nil
}

// Client implements [machine.Network].
func (s socket) Client() *http.Client { return &http.Client{Transport: caller{s.net, s.l.seat}} }

// transport implements [peer.Transport].
type transport struct {
	net  *network
	seat *seat
	l    *life
	cfg  peer.Config
	ctx  context.Context

	cancel  context.CancelFunc
	running sync.WaitGroup

	mu    sync.Mutex
	known map[uint64]bool // whether it was added, and not just told of
	since map[uint64]time.Time
}

var _ peer.Transport = (*transport)(nil)

func (t *transport) isGone() bool { return t.l.gone.Load() || t.ctx.Err() != nil }

// dial asks the others for their messages again and again, as streams do: they refuse one that was removed.
func (t *transport) dial() {
	for t.wait(time.Second) {
		for _, id := range t.Peers() {
			to := t.net.arrive(t, id)
			if to != nil && to.cfg.Handler.IsRemoved(t.cfg.ID) && t.net.arrive(to, t.cfg.ID) == t {
				t.cfg.Handler.Removed(id)
			}
		}
	}
}

// heard tells that a message of a member has arrived, whose URLs come with it.
func (t *transport) heard(id uint64) {
	t.AddRemote(id, nil)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.since[id].IsZero() {
		t.since[id] = time.Now()
	}
}

// silent tells that a member isn't heard of any more.
func (t *transport) silent(id uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.since, id)
}

// lost tells the member that a message got lost.
func (t *transport) lost(id uint64) {
	if !t.isGone() {
		t.cfg.Handler.ReportUnreachable(id)
	}
}

func (t *transport) knows(id uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.known[id]
	return ok
}

// Send implements [peer.Transport].
func (t *transport) Send(messages []raftpb.Message) {
	for i := range messages {
		if m := &messages[i]; t.knows(m.To) {
			t.net.send(t, m)
		}
	}
}

// SendSnapshot implements [peer.Transport]. It reads the database at once: who reads it later keeps others waiting
// for a lock, for as long as time stands still.
func (t *transport) SendSnapshot(m raftpb.Message, db peer.Database) {
	var data bytes.Buffer
	_, err := db.WriteTo(&data)
	_ = db.Close() // it was only read
	if err != nil || t.isGone() {
		return
	}
	t.net.mu.Lock()
	t.net.hear(t, &m)
	t.net.mu.Unlock()
	t.running.Go(func() {
		ok := t.sendSnapshot(m, data.Bytes())
		if !t.isGone() {
			t.cfg.Handler.ReportSnapshot(m.To, ok)
		}
	})
}

// sendSnapshot reports whether a snapshot has arrived, as far as the sender can tell.
func (t *transport) sendSnapshot(m raftpb.Message, db []byte) bool {
	const parts = 3
	head := m.Marshal(t.cfg.Flavor)
	var to *transport
	for range parts {
		t.net.mu.Lock()
		other := t.net.live[m.To]
		var d time.Duration
		arrives := false
		if other != nil {
			d, arrives = t.net.delay(way{t.seat.number, other.seat.number})
		}
		t.net.mu.Unlock()
		if !arrives || !t.wait(d) {
			return false
		}
		if to = t.net.arrive(t, m.To); to == nil {
			return false
		}
	}
	to.heard(t.cfg.ID)
	var received raftpb.Message
	if err := received.Unmarshal(head); err != nil {
		panic("bug: " + err.Error())
	}
	if to.cfg.Handler.SaveDatabase(&received, bytes.NewReader(db)) != nil ||
		to.cfg.Handler.Process(to.ctx, received) != nil {
		return false
	}
	t.seat.w.count(&t.seat.w.stats.Snapshots)
	return t.net.arrive(to, t.cfg.ID) == t
}

func (t *transport) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-t.ctx.Done():
		return false
	}
}

// AddPeer implements [peer.Transport].
func (t *transport) AddPeer(id uint64, urls []string) error {
	t.l.checkChange(id)
	return t.SetPeer(id, urls)
}

// SetPeer implements [peer.Transport].
func (t *transport) SetPeer(id uint64, _ []string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.known[id] = true
	return nil
}

// RemovePeer implements [peer.Transport].
func (t *transport) RemovePeer(id uint64) {
	t.l.checkChange(id)
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.known, id)
	delete(t.since, id)
}

// AddRemote implements [peer.Transport].
func (t *transport) AddRemote(id uint64, _ []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.known[id]; !ok && id != t.cfg.ID {
		t.known[id] = false
	}
}

// Peers implements [peer.Transport].
func (t *transport) Peers() []uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.DeleteFunc(slices.Sorted(maps.Keys(t.known)), func(id uint64) bool { return !t.known[id] })
}

// ActiveSince implements [peer.Transport].
func (t *transport) ActiveSince(id uint64) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.isGone() {
		return time.Time{}
	}
	return t.since[id]
}

// HTTP implements [peer.Transport]. Nothing of the transport goes this way here.
func (t *transport) HTTP() http.Handler { return http.NotFoundHandler() }

// Client implements [peer.Transport].
func (t *transport) Client() *http.Client { return &http.Client{Transport: caller{t.net, t.seat}} }

// Stop implements [peer.Transport].
func (t *transport) Stop() {
	t.cancel()
	t.net.mu.Lock()
	if t.net.live[t.cfg.ID] == t {
		delete(t.net.live, t.cfg.ID)
		for _, other := range t.net.live {
			other.silent(t.cfg.ID)
		}
	}
	t.net.mu.Unlock()
	t.running.Wait()
}
