package sim

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/check"
	"github.com/raftctl/raftctl/raftpb"
)

// network carries what members say to each other, or doesn't.
type network struct {
	mu      sync.Mutex
	dice    *rand.Rand
	weather weather
	cut     map[way]bool // nothing goes this way
	last    map[way]time.Time
	live    map[uint64]*transport // by member
	hosts   map[string]*seat      // by host and port
	checker *check.Checker        // hears everything
	said    int64
}

// way is from one seat to another.
type way struct{ from, to int }

// weather is how messages fare.
type weather struct {
	loss, twice int           // percent
	delay       time.Duration // at most
	disorder    bool          // messages overtake each other
}

// fair is weather in which nothing gets lost.
var fair = weather{delay: 2 * time.Millisecond}

func newNetwork(seed uint64) *network {
	return &network{
		dice: rand.New(rand.NewPCG(seed, 2)), weather: fair,
		cut: map[way]bool{}, last: map[way]time.Time{}, live: map[uint64]*transport{}, hosts: map[string]*seat{},
	}
}

// listen begins to check what is said, in a cluster that these begin.
func (net *network) listen(members *raftpb.ConfState) {
	net.checker = check.New(check.Options{Members: members, MembersAt: uint64(len(members.Voters))})
}

// open makes a seat known by its URL.
func (net *network) open(s *seat) {
	net.mu.Lock()
	defer net.mu.Unlock()
	net.hosts[strings.TrimPrefix(s.url, "http://")] = s
}

func (net *network) set(w weather) {
	net.mu.Lock()
	defer net.mu.Unlock()
	net.weather = w
}

// sever cuts ways, in place of those that were cut.
func (net *network) sever(ways ...way) {
	net.mu.Lock()
	defer net.mu.Unlock()
	clear(net.cut)
	for _, w := range ways {
		net.cut[w] = true
	}
	for _, t := range net.live {
		for id, other := range net.live {
			if net.cut[way{other.seat.number, t.seat.number}] {
				t.silent(id)
			}
		}
	}
}

// delay returns how long something is on its way now, and whether it arrives. The caller holds mu.
func (net *network) delay(w way) (d time.Duration, arrives bool) {
	d = time.Duration(1 + net.dice.Int64N(int64(net.weather.delay)))
	if !net.weather.disorder {
		now := time.Now()
		at := now.Add(d)
		if last := net.last[w]; !at.After(last) {
			at = last.Add(time.Microsecond)
		}
		net.last[w] = at
		d = at.Sub(now)
	}
	return d, !net.cut[w] && net.dice.IntN(100) >= net.weather.loss
}

// send takes a message on its way.
func (net *network) send(t *transport, m *raftpb.Message) {
	net.mu.Lock()
	defer net.mu.Unlock()
	if t.isGone() {
		return
	}
	net.hear(t, m)
	to := net.live[m.To]
	if to == nil {
		time.AfterFunc(net.weather.delay, func() { t.lost(m.To) })
		return
	}
	w := way{t.seat.number, to.seat.number}
	data := m.Marshal(t.cfg.Flavor)
	times := 1
	if net.dice.IntN(100) < net.weather.twice && m.Type != raftpb.MsgProp { // no stream repeats one: it would count twice
		times = 2
	}
	for range times {
		d, arrives := net.delay(w)
		if !arrives {
			if net.dice.IntN(2) == 0 {
				time.AfterFunc(d, func() { t.lost(m.To) })
			}
			continue
		}
		time.AfterFunc(d, func() { net.deliver(t, m.To, data) })
	}
}

// hear tells the checker of a message. The caller holds mu.
func (net *network) hear(t *transport, m *raftpb.Message) {
	net.said++
	net.checker.Add(&stream.Event{
		Kind: stream.KindMessage, Channel: stream.ChannelMemory, Time: time.Now(),
		From: t.cfg.ID, To: m.To, Conn: t.cfg.ID<<8 | uint64(t.l.number&0xff),
		Pos: stream.Pos{Source: "sim", Off: net.said}, Message: m,
	})
}

// arrive returns who gets what comes to a member from another one now; nil if nobody does.
func (net *network) arrive(from *transport, id uint64) *transport {
	net.mu.Lock()
	defer net.mu.Unlock()
	to := net.live[id]
	if to == nil || to.isGone() || net.cut[way{from.seat.number, to.seat.number}] {
		return nil
	}
	return to
}

func (net *network) deliver(from *transport, id uint64, data []byte) {
	to := net.arrive(from, id)
	if to == nil {
		return
	}
	var m raftpb.Message
	if err := m.Unmarshal(data); err != nil {
		panic("bug: " + err.Error())
	}
	to.heard(from.cfg.ID)
	_ = to.cfg.Handler.Process(to.ctx, m) // who sent it doesn't hear of an error: see transport.dial
}

// errLost is what becomes of a request that isn't answered.
var errLost = errors.New("connection lost")

// caller asks other members' handlers, in place of sockets.
type caller struct {
	net  *network
	seat *seat
}

// RoundTrip implements [http.RoundTripper].
func (c caller) RoundTrip(r *http.Request) (*http.Response, error) {
	c.net.mu.Lock()
	to := c.net.hosts[r.URL.Host]
	c.net.mu.Unlock()
	if to == nil {
		return nil, errLost
	}
	if err := c.travel(r.Context(), way{c.seat.number, to.number}); err != nil {
		return nil, err
	}
	l := to.living()
	if l == nil {
		return nil, errLost
	}
	a := newAnswer(r)
	l.n.PeerHandler().ServeHTTP(a, r)
	if err := c.travel(r.Context(), way{to.number, c.seat.number}); err != nil {
		return nil, err
	}
	return a.response(), nil
}

// travel waits until a request, or an answer, has arrived.
func (c caller) travel(ctx context.Context, w way) error {
	c.net.mu.Lock()
	d, arrives := c.net.delay(w)
	c.net.mu.Unlock()
	if !arrives {
		d = time.Second
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	if !arrives {
		return errLost
	}
	return nil
}

// crashed tells the others that a machine is gone.
func (net *network) crashed(s *seat) {
	net.mu.Lock()
	defer net.mu.Unlock()
	for id, t := range net.live {
		if t.seat != s {
			continue
		}
		for _, other := range net.live {
			other.silent(id)
		}
	}
}

// isTold reports whether others can tell a member that it is none any more: one that never heard of any can't be.
func (net *network) isTold(l *life) bool {
	net.mu.Lock()
	t := net.live[l.n.ID()]
	net.mu.Unlock()
	return t != nil && len(t.Peers()) > 0
}
