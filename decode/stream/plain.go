package stream

import "net/netip"

// plain is what connections have in common whose bytes have nothing by which a message could be found again: behind
// what is lost, or is no message, nothing more is told of a direction.
type plain struct {
	d       *Decoder
	id      uint64
	channel Channel
	unit    string // what goes over it: "message", "value"
	addrs   [2]netip.AddrPort
	sides   [2]plainSide
}

// plainSide is a direction.
type plainSide struct {
	buf  []byte // what isn't whole yet
	from uint64 // who sends; 0: not known
	lost bool
	held int // bytes of memory, as the decoder counts them
}

func (p *plain) event(k Kind, dir Direction, size int64, at Seen) *Event {
	e := &p.d.event
	*e = Event{
		Kind: k, Time: at.Time, From: p.sender(dir), To: p.sender(dir.Opposite()),
		Channel: p.channel, Conn: p.id, Size: size, Pos: at.Pos,
	}
	return e
}

// sender returns who sends in a direction: who says so, or the only member of that host.
func (p *plain) sender(dir Direction) uint64 {
	if id := p.sides[dir].from; id != 0 || p.addrs[0].Addr() == p.addrs[1].Addr() {
		return id
	}
	return p.d.book.host(p.addrs[dir].Addr())
}

// give gives up a direction.
func (p *plain) give(dir Direction, at Seen, bytes int64, reason string) {
	s := &p.sides[dir]
	s.lost, s.buf = true, nil
	p.d.held -= s.held
	s.held = 0
	p.d.emitGap(p.event(KindGap, dir, max(bytes, 0), at), Gap{Bytes: bytes, Reason: reason, Final: true})
}

// account counts what a direction holds of what isn't whole. Where all hold too much, this one gives up.
func (p *plain) account(dir Direction, at Seen) {
	s := &p.sides[dir]
	p.d.held += cap(s.buf) - s.held
	s.held = cap(s.buf)
	if p.d.held > MaxHeld && s.held >= littleHeld {
		p.give(dir, at, -1, tooMuch+p.unit)
	}
}

// tooMuch is why what isn't whole is given up.
const tooMuch = "too much is under way to wait for the rest of the "

// Lost takes in that n bytes, or an unknown number if n is negative, are missing in a direction.
func (p *plain) Lost(dir Direction, n int64, at Seen) {
	if !p.sides[dir].lost {
		p.give(dir, at, n, "bytes were not captured")
	}
}

// End says that nothing follows in a direction.
func (p *plain) End(dir Direction, at Seen) {
	s := &p.sides[dir]
	if !s.lost && len(s.buf) > 0 {
		p.give(dir, at, int64(len(s.buf)), "the connection ends within a "+p.unit)
	}
	p.d.held -= s.held
	s.buf, s.held = nil, 0
}
