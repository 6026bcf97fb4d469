package stream

import (
	"github.com/raftctl/raftctl/raftpb"
	wire "github.com/raftctl/raftctl/raftpb/stream"
)

// Link is the direction of a stream.
type Link = wire.Link

// frames takes the body of a stream. In step, bytes are where they belong: at the beginning of a frame or
// within one. Out of step it looks for the next frame.
type frames struct {
	channel Channel // "": not known yet
	link    Link
	message wire.MessageParser
	append  wire.AppendParser

	buf     []byte // the beginning of a frame
	need    int    // how long buf has to be before there is anything to see
	astray  bool   // out of step
	border  bool   // out of step: buf begins where a chunk does
	skipped int64  // out of step: bytes that were passed over
}

// maxFound is the longest frame at which the search for the next one ends.
const maxFound = 4 << 20

func newFrames(c Channel, l Link) *frames {
	f := &frames{channel: c, message: wire.MessageParser{Limit: MaxFrame}, append: wire.AppendParser{Limit: MaxFrame}}
	f.setLink(l)
	return f
}

func (f *frames) setLink(l Link) { f.link, f.append.Link = l, l }

// leaveStep says that bytes are missing before those that come next.
func (f *frames) leaveStep() {
	f.skipped += int64(len(f.buf))
	f.buf, f.need, f.astray, f.border = f.buf[:0], 0, true, false
	f.append.Join()
}

func (f *frames) data(h *half, b []byte, begins, ends bool) {
	for len(b) > 0 && !h.conn.d.stopped {
		if f.astray {
			b = f.find(h, b, begins, ends)
			begins = false
			continue
		}
		b = f.take(h, b)
	}
}

// take takes a frame, or what there is of it.
func (f *frames) take(h *half, b []byte) []byte {
	src, rest := b, b
	if len(f.buf) > 0 {
		n := min(f.need-len(f.buf), len(b))
		f.buf, rest = append(f.buf, b[:n]...), b[n:]
		if src = f.buf; len(src) < f.need {
			return rest
		}
	}
	n, need, err := f.parse(h, src)
	switch {
	case err != nil:
		h.gap(-1, "a frame that no member sends: "+err.Error())
		f.leaveStep()
		return rest
	case n == 0:
		f.need = need
		if len(f.buf) == 0 {
			f.buf = append(f.buf, b...)
			return nil
		}
		return rest
	}
	f.emit(h, n)
	if len(f.buf) > 0 {
		f.drop()
		return rest
	}
	return b[n:]
}

func (f *frames) held() int { return cap(f.buf) }

// giveUp forgets the frame at hand, and its memory.
func (f *frames) giveUp() {
	f.leaveStep()
	f.buf = nil
}

// drop forgets the frame in buf, and a buffer that is larger than most frames need.
func (f *frames) drop() {
	f.buf, f.need = f.buf[:0], 0
	if cap(f.buf) > maxKept {
		f.buf = nil
	}
}

// maxKept is the largest buffer that is kept for the next frame.
const maxKept = 1 << 20

// parse reads the frame at the beginning of b into the decoder's message.
func (f *frames) parse(h *half, b []byte) (n, need int, err error) {
	m := &h.conn.d.message
	if f.channel == ChannelAppend {
		return f.append.Parse(b, m)
	}
	return f.message.Parse(b, m)
}

func (f *frames) lost(*half, int64) { f.leaveStep() }

func (f *frames) end(h *half, _ bool) {
	if n := len(f.buf); n > 0 && !f.astray {
		h.gap(int64(n), "the rest of the message was not seen")
	}
	f.leaveStep()
}

// emit emits the message that was parsed from a frame of n bytes.
func (f *frames) emit(h *half, n int) {
	d := h.conn.d
	m := &d.message
	if wire.IsLinkHeartbeat(m) {
		e := h.newEvent(KindLinkHeartbeat, f.channel, int64(n))
		e.From, e.To = f.link.From, f.link.To
		d.send(e)
		return
	}
	f.learnLink(h, m)
	e := h.newEvent(KindMessage, f.channel, int64(n))
	e.From, e.To, e.Message = m.From, m.To, m
	if m.From == 0 {
		e.From = f.link.From
	}
	if m.To == 0 {
		e.To = f.link.To
	}
	d.send(e)
}

// learnLink takes the ends of a stream whose beginning wasn't seen from a message.
func (f *frames) learnLink(h *half, m *raftpb.Message) {
	if f.link.From != 0 && f.link.To != 0 || m.From == 0 || m.To == 0 {
		return
	}
	f.setLink(Link{From: m.From, To: m.To})
	h.conn.d.book.learn(h.server(), m.From)
}
