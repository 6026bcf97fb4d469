package stream

// plain is what connections have in common whose bytes have nothing by which a message could be found again: behind
// what is lost, or is no message, nothing more is told of a direction.
type plain struct {
	d       *Decoder
	id      uint64
	channel Channel
	unit    string // what goes over it: "message", "value"
	sides   [2]plainSide
}

// plainSide is a direction.
type plainSide struct {
	buf  []byte // what isn't whole yet
	from uint64 // who sends; 0: not known
	lost bool
}

func (p *plain) event(k Kind, dir Direction, size int64, at Seen) *Event {
	e := &p.d.event
	*e = Event{
		Kind: k, Time: at.Time, From: p.sides[dir].from, To: p.sides[dir.Opposite()].from,
		Channel: p.channel, Conn: p.id, Size: size, Pos: at.Pos,
	}
	return e
}

// give gives up a direction.
func (p *plain) give(dir Direction, at Seen, bytes int64, reason string) {
	s := &p.sides[dir]
	s.lost, s.buf = true, nil
	p.d.emitGap(p.event(KindGap, dir, max(bytes, 0), at), bytes, reason)
}

// Lost takes in that n bytes, or an unknown number if n is negative, are missing in a direction.
func (p *plain) Lost(dir Direction, n int64, at Seen) {
	if !p.sides[dir].lost {
		p.give(dir, at, n, "bytes were not captured")
	}
}

// End says that nothing follows in a direction.
func (p *plain) End(dir Direction, at Seen) {
	if s := &p.sides[dir]; !s.lost && len(s.buf) > 0 {
		p.give(dir, at, int64(len(s.buf)), "the connection ends within a "+p.unit)
	}
}
