package stream

import (
	"fmt"

	"github.com/raftctl/raftctl/decode/stream/tls"
)

// hidden is what is known of a connection under TLS: with its secrets, what went over it.
type hidden struct {
	conn *tls.Conn // nil: it can't be read
	open *Conn     // what it holds
	at   Seen      // of the bytes at hand
	told bool      // that it can't be read
}

// beginsTLS reports whether b begins with a record of TLS.
func beginsTLS(b []byte) bool {
	const first, last, largest = 20, 23, 16384 + 2048
	if len(b) < 5 || b[0] < first || b[0] > last || b[1] != 3 || b[2] > 4 {
		return false
	}
	return int(b[3])<<8|int(b[4]) <= largest
}

// enterTLS goes on with a direction that is under TLS.
func (h *half) enterTLS() {
	h.state = inTLS
	c := h.conn
	if c.tls != nil {
		return
	}
	c.tls = new(hidden)
	if c.d.keys == nil || c.open {
		return
	}
	inner := c.d.Open(c.id, c.addrs)
	inner.open = true
	inner.Begins(0)
	inner.Begins(1)
	t := c.tls
	t.open = inner
	t.conn = c.d.keys.NewConn(func(dir int, plain []byte) { inner.Data(Direction(dir), plain, t.at) })
}

// takeTLS takes bytes under TLS.
func (h *half) takeTLS(b []byte) {
	t := h.conn.tls
	if t.conn != nil {
		t.at = h.at
		err := t.conn.Data(int(h.dir), b)
		if err == nil {
			return
		}
		t.giveUp(h, err)
	}
	h.conn.d.hide(h, t, len(b))
}

// giveUp leaves a connection that can't be read.
func (t *hidden) giveUp(h *half, err error) {
	t.conn = nil
	if t.open.known {
		t.told = true
		t.open.halves[h.dir].at = h.at
		t.open.halves[h.dir].tellGap(Gap{Bytes: -1, Reason: "TLS: " + err.Error(), Final: true})
	}
}

// hide counts bytes that are hidden. The first ones of all are told at once.
func (d *Decoder) hide(h *half, t *hidden, n int) {
	d.hidden.bytes += int64(n)
	if t.told {
		return
	}
	t.told = true
	if d.hidden.conns++; d.hidden.conns == 1 {
		d.emitGap(h.newEvent(KindGap, ChannelPeer, 0), Gap{Bytes: -1, Reason: d.hiddenWhy(), Final: true})
	}
}

// hiddenWhy says why connections under TLS can't be read.
func (d *Decoder) hiddenWhy() string {
	if d.keys == nil {
		return "TLS, without a key log"
	}
	return "TLS, of which the key log doesn't have the secrets"
}

func (d *Decoder) hiddenReason() string {
	s := "s"
	if d.hidden.conns == 1 {
		s = ""
	}
	return fmt.Sprintf("%s: %d connection%s", d.hiddenWhy(), d.hidden.conns, s)
}

// lost takes in that bytes of a direction are missing.
func (t *hidden) lost(h *half) {
	if t.conn == nil {
		return
	}
	t.conn.Lost(int(h.dir))
	t.open.Lost(h.dir, -1, h.at)
}

// end says that nothing follows in a direction.
func (t *hidden) end(h *half, whole bool) {
	if t.open != nil {
		t.open.End(h.dir, whole, h.at)
	}
}
