package stream

import (
	"fmt"
	"net/netip"

	"github.com/raftctl/raftctl/raftpb"
	wire "github.com/raftctl/raftctl/raftpb/stream"
)

// collected is the body of a request or response, which is of interest as a whole.
type collected struct {
	limit int
	buf   []byte
	over  int64 // bytes beyond limit
	holes bool
}

func (c *collected) add(b []byte) {
	n := min(c.limit-len(c.buf), len(b))
	c.buf = append(c.buf, b[:n]...)
	c.over += int64(len(b) - n)
}

func (c *collected) held() int { return cap(c.buf) }

func (c *collected) lost(*half, int64) { c.holes = true }

// pipeline takes a message that is the body of a POST.
type pipeline struct{ collected }

func (p *pipeline) data(h *half, b []byte, begins, ends bool) {
	p.limit = MaxFrame
	if begins && ends && !h.head.chunked && len(b) <= MaxFrame { // all of it
		p.buf = b
		return
	}
	p.add(b)
}

func (p *pipeline) end(h *half, whole bool) {
	n := int64(len(p.buf)) + p.over
	if !whole || p.holes || p.over > 0 {
		h.gap(n, "the rest of the message was not seen")
		return
	}
	m := &h.conn.d.message
	if err := m.UnmarshalReuse(p.buf); err != nil {
		h.gap(n, "a body that is no message: "+err.Error())
		return
	}
	h.message(ChannelPipeline, m, n)
}

// message emits the message of a request.
func (h *half) message(c Channel, m *raftpb.Message, size int64) {
	e := h.newEvent(KindMessage, c, size)
	a := &h.conn.asked
	if m.From != 0 {
		a.from = m.From
	}
	if m.To != 0 {
		a.to = m.To
		h.conn.d.book.learn(h.server(), m.To)
	}
	e.From, e.To, e.Message = a.from, a.to, m
	h.conn.d.send(e)
}

// snapshot takes a MsgSnap and passes over the database behind it.
type snapshot struct {
	collected
	parser   wire.MessageParser
	need     int
	told     bool
	database int64
}

func (s *snapshot) data(h *half, b []byte, _, _ bool) {
	if s.told || s.holes {
		s.database += int64(len(b))
		return
	}
	s.limit, s.parser.Limit = MaxFrame+8, MaxFrame
	have := len(s.buf)
	s.add(b)
	if len(s.buf) < s.need {
		return
	}
	m := &h.conn.d.message
	n, need, err := s.parser.Parse(s.buf, m)
	switch {
	case err == nil && n == 0:
		s.need = need
		return
	case err != nil:
		h.gap(-1, "a body that is no snapshot: "+err.Error())
	default:
		h.message(ChannelSnapshot, m, int64(n))
		s.database += int64(len(b) - (n - have))
	}
	s.told, s.buf = true, nil
}

func (s *snapshot) lost(_ *half, n int64) {
	s.database += n
	s.holes = true
}

func (s *snapshot) end(h *half, whole bool) {
	a := &h.conn.asked
	switch {
	case !s.told:
		h.gap(int64(len(s.buf)), "the rest of the message was not seen")
	case whole:
		a.sent = fmt.Sprintf("database of %d bytes", s.database)
	default:
		a.sent = fmt.Sprintf("database of at least %d bytes, whose end was not seen", s.database)
	}
}

// netipHost is an address without its port.
func netipHost(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr(), 0) }
