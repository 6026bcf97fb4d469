package stream

import (
	"encoding/binary"

	"github.com/raftctl/raftctl/raftpb"
	wire "github.com/raftctl/raftctl/raftpb/stream"
)

// verdict says whether a frame begins somewhere.
type verdict uint8

const (
	no    verdict = iota
	maybe         // more bytes will tell
	yes
)

// find looks for a frame, and returns what follows the one that it found. A frame is one if it can be parsed, is
// what members send, and another one or the end of a chunk follows it.
func (f *frames) find(h *half, b []byte, begins, ends bool) []byte {
	if len(f.buf) == 0 {
		f.border = begins
	}
	f.buf = append(f.buf, b...)
	if len(f.buf) < f.need && !ends {
		return nil
	}
	at := 0
	for ; at < len(f.buf); at++ {
		n, v := f.candidate(h, at, ends)
		if v == no {
			continue
		}
		f.skipped += int64(at)
		rest := f.buf[at:]
		if v == maybe {
			f.border = f.border && at == 0
			f.need = len(rest) + n
			f.buf = f.buf[:copy(f.buf, rest)]
			return nil
		}
		f.found(h, n)
		f.buf = nil // rest lies there
		return rest[n:]
	}
	f.skipped += int64(at)
	f.buf, f.need = f.buf[:0], 0
	return nil
}

// found goes back into step with a frame of n bytes, which was parsed.
func (f *frames) found(h *half, n int) {
	h.conn.known = true
	if h.role == roleUnknown {
		h.setRole(roleServer)
	}
	if f.link == (Link{}) {
		f.setLink(Link{From: h.conn.d.book.listener(h.server()), To: h.conn.d.book.host(h.client().Addr())})
	}
	if f.skipped > 0 {
		h.gap(f.skipped, passedReason)
	}
	f.astray, f.skipped, f.need = false, 0, 0
	f.emit(h, n)
}

// candidate judges whether a frame begins at an offset of buf. It returns the length of the frame, or how many
// bytes are missing at least.
func (f *frames) candidate(h *half, at int, ends bool) (n int, v verdict) {
	b := f.buf[at:]
	if f.channel != ChannelAppend {
		if v = looksLikeMessage(b, -1); v != no {
			if n, v = f.try(h, ChannelMessage, b, ends); v != no {
				return n, v
			}
		}
	}
	if f.channel != ChannelMessage {
		if v = looksLikeAppend(b, at == 0 && f.border, ends); v != no {
			return f.try(h, ChannelAppend, b, ends)
		}
	}
	return 0, no
}

// try parses a frame, and takes it if what follows looks like one, too.
func (f *frames) try(h *half, c Channel, b []byte, ends bool) (n int, v verdict) {
	old := f.channel
	f.channel = c
	f.append.Join()
	n, need, err := f.parse(h, b)
	switch {
	case err != nil || need > maxFound || n > 0 && !isSent(&h.conn.d.message):
		v = no
	case n == 0:
		n, v = need-len(b), maybe
	case n == len(b) && !ends:
		n, v = 1, maybe
	case n == len(b):
		v = yes
	case c == ChannelMessage && looksLikeMessage(b[n:], -1) == no, c == ChannelAppend && !mayBeginAppend(b[n:]):
		v = no
	default:
		v = yes
	}
	if v != yes {
		f.channel = old
	}
	return n, v
}

// isSent reports whether members send such a message over a stream.
func isSent(m *raftpb.Message) bool {
	if wire.IsLinkHeartbeat(m) {
		return true
	}
	return !raftpb.IsLocalMsg(m.Type) && m.Type <= raftpb.MsgForgetLeader && m.Type >= 0
}

// looksLikeMessage judges the beginning of a frame of a message stream: a length below maxFound, and the type and
// receiver of a message of that type, or of any that travels if it is negative.
func looksLikeMessage(b []byte, typ raftpb.MessageType) verdict {
	if v := smallNumber(b); v != yes {
		return v
	}
	size := binary.BigEndian.Uint64(b)
	b = b[8:]
	switch {
	case size < 2:
		return no
	case len(b) < 3:
		if len(b) > 0 && b[0] != 0x08 {
			return no
		}
		return maybe
	case b[0] != 0x08 || b[1] > byte(raftpb.MsgForgetLeader) || typ >= 0 && b[1] != byte(typ):
		return no
	case size == 2: // a link heartbeat of etcd 3.7
		return yesIf(b[1] == byte(raftpb.MsgHeartbeat))
	}
	return yesIf(b[2] == 0x10)
}

// looksLikeAppend judges the beginning of a frame of an append stream. Borders tells that a chunk begins there.
func looksLikeAppend(b []byte, borders, ends bool) verdict {
	switch b[0] {
	case 0: // a link heartbeat, which is a chunk of its own
		return yesIf(borders && ends && len(b) == 1)
	case 1:
		return looksShort(b, borders)
	case 2:
		return looksLikeMessage(b[1:], raftpb.MsgApp)
	}
	return no
}

// looksShort judges the beginning of a short frame.
func looksShort(b []byte, borders bool) verdict {
	if v := smallNumber(b[1:]); v != yes {
		return v
	}
	count := binary.BigEndian.Uint64(b[1:])
	switch {
	case count > wire.MaxEntries:
		return no
	case count == 0: // a commit index tells little
		return yesIf(borders)
	}
	if v := smallNumber(b[9:]); v != yes {
		return v
	}
	if len(b) < 18 {
		return maybe
	}
	return yesIf(b[17] == 0x08 || b[17] == 0x10)
}

// mayBeginAppend reports whether a frame of an append stream may begin with b.
func mayBeginAppend(b []byte) bool {
	switch b[0] {
	case 0:
		return true
	case 1:
		return smallNumber(b[1:]) != no
	case 2:
		return looksLikeMessage(b[1:], raftpb.MsgApp) != no
	}
	return false
}

// smallNumber judges whether b begins with a number of eight bytes up to maxFound.
func smallNumber(b []byte) verdict {
	for i, c := range b[:min(len(b), 8)] {
		if i < 5 && c != 0 || i == 5 && c > maxFound>>16 {
			return no
		}
	}
	if len(b) < 8 {
		return maybe
	}
	return yes
}

func yesIf(ok bool) verdict {
	if ok {
		return yes
	}
	return no
}
