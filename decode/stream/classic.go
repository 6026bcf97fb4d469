package stream

import (
	"fmt"

	"github.com/raftctl/raftctl/raftpb/classic"
)

// ClassicConn makes events of a connection on which the classic binary protocol is spoken, on ChannelClassic. Who
// is at an end is known once a message from there says it.
//
// What is lost or is none of the protocol's messages is a gap, behind which nothing more is told of that direction: its
// frames have nothing by which they could be found again.
type ClassicConn struct{ plain }

// OpenClassic returns a new connection on which the classic binary protocol is spoken.
func (d *Decoder) OpenClassic(id uint64) *ClassicConn {
	return &ClassicConn{plain{d: d, id: id, channel: ChannelClassic, unit: "message"}}
}

// Data takes bytes that follow those of the last call for that direction.
func (c *ClassicConn) Data(dir Direction, b []byte, at Seen) {
	s := &c.sides[dir]
	if s.lost || c.d.stopped {
		return
	}
	s.buf = append(s.buf, b...)
	off := 0
	for {
		m, n, _, err := classic.Parse(s.buf[off:])
		if err != nil {
			c.give(dir, at, int64(len(s.buf)-off), err.Error())
			return
		}
		if n == 0 {
			s.buf = s.buf[:copy(s.buf, s.buf[off:])]
			c.account(dir, at)
			return
		}
		c.tell(dir, m, int64(n), at)
		off += n
	}
}

// tell emits a message.
func (c *ClassicConn) tell(dir Direction, m classic.Message, size int64, at Seen) {
	s := &c.sides[dir]
	msg, err := classic.ToRaft(m, classic.Link{From: c.sender(dir), To: c.sender(dir.Opposite())})
	if err != nil {
		c.d.emitGap(c.event(KindGap, dir, size, at), Gap{Bytes: size, Reason: fmt.Sprintf("%v: %v", m.Type(), err)})
		return
	}
	if msg.From != 0 {
		s.from = msg.From
		c.d.book.learn(netipHost(c.addrs[dir]), msg.From)
	}
	c.d.message = msg
	e := c.event(KindMessage, dir, size, at)
	e.Message = &c.d.message
	c.d.send(e)
}
