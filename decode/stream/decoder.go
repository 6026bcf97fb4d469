package stream

import (
	"net/netip"
	"time"

	"github.com/raftctl/raftctl/decode/stream/tls"
	"github.com/raftctl/raftctl/raftpb"
)

// Seen says when and where bytes were seen.
type Seen struct {
	Time time.Time
	Pos  Pos
}

// Decoder makes events of the bytes that went over connections. It is told the bytes of each as they come, and
// hands each event on at once, so its events come in the order in which they were completed.
//
// It takes connections between members of etcd 3.4 to 3.7, from wherever they are first seen, those that speak the
// classic protocol or RESP, see Protocol, and passes over all others. Its memory is bounded by MaxHeld, which the messages may take that are not whole yet, and some kilobytes a
// connection.
type Decoder struct {
	emit     func(*Event) bool
	stopped  bool
	book     addresses
	hidden   tally // what TLS hides
	keys     *tls.Keys
	protocol Protocol
	held     int // bytes that wait for others of their message

	// What events point to.
	event    Event
	message  raftpb.Message
	exchange Exchange
	gap      Gap
}

// tally counts connections and bytes.
type tally struct {
	conns int
	bytes int64
}

// MaxFrame is the longest frame that is decoded, and the longest message of a pipeline: far more than etcd sends,
// which puts at most one request beyond a megabyte into a message. Longer ones are a gap.
const MaxFrame = 64 << 20

// MaxHeld bounds what messages take that are not whole yet, of all connections, in bytes. Beyond it, the next one that
// would take more is a gap.
const MaxHeld = 128 << 20

// littleHeld is what a direction may always hold.
const littleHeld = 4 << 10

// NewDecoder returns a Decoder that hands its events to emit, each valid until emit returns. Once emit has returned
// false, nothing more is emitted.
func NewDecoder(emit func(*Event) bool) *Decoder { return &Decoder{emit: emit} }

// UseKeys gives the decoder the secrets of sessions of TLS, for connections that are opened from then on.
func (d *Decoder) UseKeys(k *tls.Keys) { d.keys = k }

// Stopped reports whether emit has returned false.
func (d *Decoder) Stopped() bool { return d.stopped }

// Finish says that nothing follows. It emits what is known in the end only.
func (d *Decoder) Finish(at Seen) {
	if d.hidden.conns > 0 {
		d.emitGap(&Event{Time: at.Time, Pos: at.Pos, Channel: ChannelPeer}, Gap{Bytes: d.hidden.bytes, Reason: d.hiddenReason()})
	}
}

func (d *Decoder) send(e *Event) {
	if !d.stopped && !d.emit(e) {
		d.stopped = true
	}
}

func (d *Decoder) emitGap(e *Event, g Gap) {
	e.Kind = KindGap
	d.gap = g
	e.Gap = &d.gap
	d.send(e)
}

// maxAddresses bounds how many addresses of members are remembered.
const maxAddresses = 4096

// addresses remembers which member listens where, and which hosts have but one.
type addresses struct {
	listeners map[netip.AddrPort]uint64
	hosts     map[netip.Addr]uint64 // 0: several
}

// learn takes in that a member listens at an address, or, without a port, that it dials from there.
func (a *addresses) learn(at netip.AddrPort, id uint64) {
	if id == 0 || !at.Addr().IsValid() {
		return
	}
	if a.listeners == nil {
		a.listeners, a.hosts = map[netip.AddrPort]uint64{}, map[netip.Addr]uint64{}
	}
	if at.Port() != 0 && len(a.listeners) < maxAddresses {
		a.listeners[at] = id
	}
	if old, ok := a.hosts[at.Addr()]; ok && old != id {
		id = 0
	}
	if len(a.hosts) < maxAddresses {
		a.hosts[at.Addr()] = id
	}
}

// listener returns the member that listens at an address, or 0.
func (a *addresses) listener(at netip.AddrPort) uint64 { return a.listeners[at] }

// host returns the only member of a host, or 0.
func (a *addresses) host(at netip.Addr) uint64 { return a.hosts[at] }
