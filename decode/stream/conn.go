package stream

import "net/netip"

// Direction is one of the two of a connection: 0 and 1, as whoever opens it counts them.
type Direction uint8

// Opposite returns the other direction.
func (d Direction) Opposite() Direction { return 1 - d }

// Conn is a connection, of which the bytes of both directions are told in their order, each direction by
// itself.
type Conn struct {
	d      *Decoder
	id     uint64
	addrs  [2]netip.AddrPort // of those who send in each direction
	halves [2]half
	known  bool    // it is one between members
	asked  request // the last request
	tls    *hidden // TLS was seen
	open   bool    // it is what was hidden by TLS

	guess *guess    // what it may speak besides; nil: that is decided
	other plainConn // what it speaks besides; nil: HTTP
	flip  bool      // other counts the directions the other way round
}

// Open returns a new connection. Events tell it by its ID. The addresses are those that each direction comes
// from, where there are any.
func (d *Decoder) Open(id uint64, from [2]netip.AddrPort) *Conn {
	c := &Conn{d: d, id: id, addrs: from}
	for i := range c.halves {
		c.halves[i].conn, c.halves[i].dir = c, Direction(i)
	}
	if d.protocol != ProtocolEtcd {
		c.guess = new(guess)
	}
	return c
}

// guessed takes bytes as long as it isn't told what the connection speaks.
func (c *Conn) guessed(dir Direction, b []byte, at Seen) {
	c.guess.add(dir, b, at)
	c.d.held += len(b)
	switch p := c.guess.tell(c.d.protocol); {
	case p != ProtocolAuto:
		c.decide(p)
	case c.d.held > MaxHeld:
		c.decide(ProtocolEtcd)
	}
}

// decide ends the guess, and hands on what was held.
func (c *Conn) decide(p Protocol) {
	g := c.guess
	c.guess = nil
	c.d.held -= g.size()
	switch p {
	case ProtocolClassic:
		x := c.d.OpenClassic(c.id)
		x.addrs = c.addrs
		c.other = x
	case ProtocolResp:
		c.other, c.flip = c.d.OpenResp(c.id), g.client == 1 && c.halves[0].state != inHead
	}
	for _, p := range g.parts {
		if p.end {
			c.End(p.dir, p.whole, p.at)
			continue
		}
		c.Data(p.dir, g.sides[p.dir][:p.n:p.n], p.at)
		g.sides[p.dir] = g.sides[p.dir][p.n:]
	}
}

// settle ends the guess by what there is, since what follows is missing.
func (c *Conn) settle() {
	if c.guess != nil {
		c.guess.judged = 0
		c.decide(c.guess.tell(c.d.protocol))
	}
}

// otherDir returns a direction as other counts it.
func (c *Conn) otherDir(dir Direction) Direction {
	if c.flip {
		return dir.Opposite()
	}
	return dir
}

// Begins says that what is told next of a direction is the first that went that way, and not the midst of a
// connection that was there before.
func (c *Conn) Begins(dir Direction) { c.halves[dir].state = inHead }

// Data takes bytes that follow those of the last call for that direction.
func (c *Conn) Data(dir Direction, b []byte, at Seen) {
	switch {
	case c.guess != nil:
		c.guessed(dir, b, at)
		return
	case c.other != nil:
		c.other.Data(c.otherDir(dir), b, at)
		return
	}
	h := &c.halves[dir]
	h.at = at
	h.first = true
	for len(b) > 0 && !c.d.stopped {
		rest := h.step(b)
		h.first = h.first && len(rest) == len(b)
		b = rest
	}
	h.account()
}

// account counts what a direction holds of what isn't whole. Where all hold too much, this one gives up what it has.
func (h *half) account() {
	d := h.conn.d
	d.held -= h.held
	h.held = cap(h.line)
	if h.sink != nil {
		h.held += h.sink.held()
	}
	d.held += h.held
	if d.held <= MaxHeld || h.held < littleHeld {
		return
	}
	h.gap(-1, tooMuch+"message")
	d.held -= h.held
	h.line, h.held = nil, 0
	if f, ok := h.sink.(*frames); ok {
		f.giveUp()
	}
	h.enterSearch()
}

// Lost takes in that n bytes, or an unknown number if n is negative, are missing in a direction.
func (c *Conn) Lost(dir Direction, n int64, at Seen) {
	c.settle()
	if c.other != nil {
		c.other.Lost(c.otherDir(dir), n, at)
		return
	}
	h := &c.halves[dir]
	h.at = at
	h.lost(n)
}

// End says that nothing follows in a direction. Whole tells that the sender said so, and not that what is
// seen ends.
func (c *Conn) End(dir Direction, whole bool, at Seen) {
	if c.guess != nil {
		if c.guess.end(dir, whole, at) {
			c.settle()
		}
		return
	}
	if c.other != nil {
		c.other.End(c.otherDir(dir), at)
		return
	}
	h := &c.halves[dir]
	h.at = at
	h.end(whole)
	h.line = nil
	h.account()
}

// server returns the address of the one that was dialled, once that is known.
func (h *half) server() netip.AddrPort {
	switch h.role {
	case roleServer:
		return h.conn.addrs[h.dir]
	case roleClient:
		return h.conn.addrs[h.dir.Opposite()]
	}
	return netip.AddrPort{}
}

// client returns the address of the one that dialled, once that is known.
func (h *half) client() netip.AddrPort {
	switch h.role {
	case roleServer:
		return h.conn.addrs[h.dir.Opposite()]
	case roleClient:
		return h.conn.addrs[h.dir]
	}
	return netip.AddrPort{}
}

// setRole says which end a direction comes from, and so the other one too.
func (h *half) setRole(r role) {
	h.role = r
	h.conn.halves[h.dir.Opposite()].role = roleClient + roleServer - r
}

// newEvent returns the event that is emitted next.
func (h *half) newEvent(k Kind, c Channel, size int64) *Event {
	e := &h.conn.d.event
	*e = Event{Kind: k, Time: h.at.Time, Channel: c, Conn: h.conn.id, Size: size, Pos: h.at.Pos}
	return e
}

// gap emits that bytes could not be told, if the connection is one between members.
func (h *half) gap(bytes int64, reason string) { h.tellGap(Gap{Bytes: bytes, Reason: reason}) }

func (h *half) tellGap(g Gap) {
	if book := &h.conn.d.book; !h.conn.known && book.listener(h.conn.addrs[0])|book.listener(h.conn.addrs[1]) == 0 {
		return
	}
	e := h.newEvent(KindGap, h.channel(), max(g.Bytes, 0))
	e.From, e.To = h.ends()
	h.conn.d.emitGap(e, g)
}

// channel returns what the direction is used for at the moment.
func (h *half) channel() Channel {
	if f, ok := h.sink.(*frames); ok && f.channel != "" {
		return f.channel
	}
	if h.conn.asked.channel != "" {
		return h.conn.asked.channel
	}
	return ChannelPeer
}

// ends returns who sends and who receives in this direction.
func (h *half) ends() (from, to uint64) {
	if f, ok := h.sink.(*frames); ok && f.link.From+f.link.To > 0 {
		return f.link.From, f.link.To
	}
	a := &h.conn.asked
	if h.role == roleServer {
		return a.to, a.from
	}
	return a.from, a.to
}
