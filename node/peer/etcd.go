package peer

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/raftctl/raftctl/raftpb"
)

// Etcd is the Transport that etcd's members have: HTTP/1.1, with two endless responses each way.
type Etcd struct {
	cfg             Config
	log             *slog.Logger
	streams, others *http.Transport
	ctx             context.Context // ends with Stop
	cancel          context.CancelFunc
	running         sync.WaitGroup
	limits          limits
	metrics         *metrics
	warned          seldom
	told            atomic.Pointer[string] // the version
	conns           conns

	mu      sync.RWMutex
	members map[uint64]*member
	remotes map[uint64]*remote
	stopped bool
}

// New returns a transport without members.
func New(c Config) (*Etcd, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	streams, others, err := newClients(&c)
	if err != nil {
		return nil, fmt.Errorf("peer: %w", err)
	}
	t := &Etcd{
		cfg: c, log: c.Logger.With("local-member-id", hex(c.ID)), streams: streams, others: others,
		limits: newLimits(), metrics: newMetrics(c.Metrics),
		members: map[uint64]*member{}, remotes: map[uint64]*remote{},
	}
	version := c.Version()
	t.told.Store(&version)
	t.ctx, t.cancel = context.WithCancel(context.Background())
	return t, nil
}

// Send implements Transport.
func (t *Etcd) Send(messages []raftpb.Message) {
	for i := range messages {
		m := &messages[i]
		if m.To == raftpb.None || raftpb.IsLocalMsgTarget(m.To) {
			continue
		}
		t.mu.RLock()
		peer, known := t.members[m.To]
		remote, told := t.remotes[m.To]
		t.mu.RUnlock()
		switch {
		case known:
			peer.send(m)
		case told:
			remote.pipeline.send(m)
		default:
			t.log.Debug("message to an unknown member", "type", m.Type, "peer-id", hex(m.To))
		}
	}
}

// AddPeer implements Transport. A member that was added keeps its URLs.
func (t *Etcd) AddPeer(id uint64, texts []string) error {
	list, err := parseURLs(texts)
	if err != nil {
		return fmt.Errorf("URLs of member %s: %w", hex(id), err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped {
		return errStopped
	}
	if t.members[id] != nil || id == t.cfg.ID {
		return nil
	}
	r := t.remotes[id]
	if r == nil {
		r = t.startRemote(id, list)
	}
	r.urls.set(list)
	delete(t.remotes, id)
	t.members[id] = t.startMember(r)
	return nil
}

// SetPeer implements Transport. It adds a member that wasn't added.
func (t *Etcd) SetPeer(id uint64, texts []string) error {
	list, err := parseURLs(texts)
	if err != nil {
		return fmt.Errorf("URLs of member %s: %w", hex(id), err)
	}
	if m := t.member(id); m != nil {
		m.urls.set(list)
		return nil
	}
	return t.AddPeer(id, texts)
}

// RemovePeer implements Transport.
func (t *Etcd) RemovePeer(id uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if m := t.members[id]; m != nil {
		m.cancel()
		m.counts.active.Set(0)
		delete(t.members, id)
	}
	if r := t.remotes[id]; r != nil {
		r.cancel()
		delete(t.remotes, id)
	}
}

// AddRemote makes the URLs known of one that may be a member, although the log doesn't say so yet: a
// member that joins answers those that it will learn of. Nothing is dialled for it until a message is
// sent to it, and no stream at all. URLs that aren't any, and too many remotes, are ignored.
func (t *Etcd) AddRemote(id uint64, texts []string) {
	list, err := parseURLs(texts)
	if err != nil {
		t.warn("a stranger tells bad URLs", "peer-id", hex(id), "urls", texts, "error", err)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped || t.members[id] != nil || t.remotes[id] != nil || id == t.cfg.ID || id == raftpb.None {
		return
	}
	if len(t.remotes) >= maxRemotes {
		t.warn("too many strangers", "peer-id", hex(id))
		return
	}
	t.remotes[id] = t.startRemote(id, list)
	t.log.Info("a stranger told its URLs", "peer-id", hex(id))
}

// warn logs what others do that isn't right; as they may do it often, at most once a second.
func (t *Etcd) warn(text string, args ...any) {
	if t.warned.now() {
		t.log.Warn(text, args...)
	}
}

// Peers implements Transport. The IDs ascend.
func (t *Etcd) Peers() []uint64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Sorted(maps.Keys(t.members))
}

// ActiveSince implements Transport.
func (t *Etcd) ActiveSince(id uint64) time.Time {
	if m := t.member(id); m != nil {
		return m.status.activeSince()
	}
	return time.Time{}
}

// Client implements Transport. Its requests have no limit of time but what their context has.
func (t *Etcd) Client() *http.Client {
	return &http.Client{Transport: t.others, CheckRedirect: asItIs}
}

// Stop implements Transport. Requests of others that come later are refused.
func (t *Etcd) Stop() {
	t.mu.Lock()
	t.stopped = true
	clear(t.members)
	clear(t.remotes)
	t.mu.Unlock()
	t.cancel()
	t.running.Wait()
	t.streams.CloseIdleConnections()
	t.others.CloseIdleConnections()
}

// member returns nil for one that wasn't added.
func (t *Etcd) member(id uint64) *member {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.members[id]
}

// enter keeps Stop waiting until leave is called; ok is false after Stop.
func (t *Etcd) enter() (leave func(), ok bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.stopped {
		return nil, false
	}
	t.running.Add(1)
	return t.running.Done, true
}
