package stream

import (
	"strings"

	wire "github.com/raftctl/raftctl/raftpb/stream"
)

// endpoints are what members ask each other, by the beginning of the path.
var endpoints = []string{"/raft", "/members", "/version", "/leases", "/downgrade/enabled"}

// isPeerPath reports whether a path is one of those that members serve to each other.
func isPeerPath(path string) bool {
	for _, p := range endpoints {
		if rest, ok := strings.CutPrefix(path, p); ok && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return false
}

// takeRequest takes a request's head.
func (h *half) takeRequest() {
	hd, c := &h.head, h.conn
	a := request{is: true, method: hd.method, path: hd.path, from: hd.from, to: hd.to, channel: ChannelPeer}
	if !c.known && !isPeerPath(hd.path) && c.d.book.listener(h.server()) == 0 {
		a.channel = "" // not a member's
	} else if !c.known {
		c.known = true
	}
	switch channel, dialer, ok := wire.ParsePath(hd.path); {
	case a.channel == "":
	case ok:
		a.channel, a.from = Channel(channel), dialer
		c.d.book.learn(h.server(), hd.to)
		h.learnHost(dialer)
	case hd.path == wire.PathPipeline && hd.method == "POST":
		a.channel = ChannelPipeline
	case hd.path == wire.PathSnapshot && hd.method == "POST":
		a.channel = ChannelSnapshot
	}
	if a.to == 0 {
		a.to = c.d.book.listener(h.server())
	}
	if a.from == 0 {
		a.from = c.d.book.host(h.client().Addr())
	}
	c.asked = a
	c.linkStream()
	switch a.channel {
	case "":
		h.beginBody(nil)
	case ChannelPipeline:
		h.beginBody(&pipeline{})
	case ChannelSnapshot:
		h.beginBody(&snapshot{})
	default:
		h.beginBody(newNote(hd))
	}
}

// learnHost takes in that a member dials from an address.
func (h *half) learnHost(id uint64) {
	at := h.client()
	h.conn.d.book.learn(netipHost(at), id)
}

// linkStream tells a stream that was joined before its request was seen who it is between.
func (c *Conn) linkStream() {
	for i := range c.halves {
		if f, ok := c.halves[i].sink.(*frames); ok && (f.link.From == 0 || f.link.To == 0) {
			f.setLink(Link{From: c.asked.to, To: c.asked.from})
		}
	}
}

// takeResponse takes a response's head.
func (h *half) takeResponse() {
	hd, a := &h.head, &h.conn.asked
	switch {
	case hd.status < 200:
		h.state = inHead
		return
	case !a.is && hd.status == 200 && hd.chunked && hd.server != "":
		h.conn.known = true // the beginning of a stream, whose request wasn't seen
		f := newFrames("", Link{From: h.conn.d.book.listener(h.server()), To: h.conn.d.book.host(h.client().Addr())})
		f.leaveStep()
		h.tell("")
		h.beginBody(f)
		return
	case a.is && a.channel == "", !a.is && !h.conn.known:
		h.beginBody(nil)
	case (a.channel == ChannelMessage || a.channel == ChannelAppend) && hd.status == 200:
		h.tell("")
		h.beginBody(newFrames(a.channel, Link{From: a.to, To: a.from}))
		return
	default:
		h.beginBody(newNote(hd))
	}
}

// beginBody goes on to the body, if there is one.
func (h *half) beginBody(s sink) {
	hd := &h.head
	h.sink = s
	none := hd.response && (hd.status == 204 || hd.status == 304 || h.conn.asked.method == "HEAD")
	switch {
	case none:
		h.finishBody(true)
	case hd.chunked:
		h.state = inSize
	case hd.length > 0:
		h.state, h.left = inBody, hd.length
	case hd.length < 0 && hd.response:
		h.state = inRest
	default:
		h.finishBody(true)
	}
}

// tell emits the request or response at hand.
func (h *half) tell(note string) {
	hd, c := &h.head, h.conn
	e := h.newEvent(KindExchange, c.asked.channel, hd.size)
	if e.Channel == "" {
		e.Channel = ChannelPeer
	}
	e.From, e.To = h.ends()
	x := &c.d.exchange
	*x = Exchange{Method: c.asked.method, Path: c.asked.path, Status: hd.status, Server: hd.server, Cluster: hd.cluster, Note: note}
	e.Exchange = x
	c.d.send(e)
}
