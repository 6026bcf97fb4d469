package stream

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/raftctl/raftctl/raftpb"
)

// A parser reads frames of bytes that are handed to it, for who has them already or gets them without
// asking, as one that listens to a connection of others. What it reads is what the reader of the same
// stream does, without a copy.

// MessageParser parses a message stream. Its zero value is for the beginning of one, or for any other border
// between frames.
type MessageParser struct {
	// Limit bounds the length of a message; 0 stands for MaxMessage.
	Limit int
}

// Parse sets m to the message of the frame at the beginning of b, and returns the frame's length. If b
// ends within the frame that is 0, and need is how long b has to be at least, which may not be all of
// the frame. The error is a *CorruptError with an offset in b.
//
// What m holds points into b, and its entries lie where m had some before.
func (p *MessageParser) Parse(b []byte, m *raftpb.Message) (n, need int, err error) {
	return parseMessage(b, 0, limitOr(p.Limit), m)
}

// AppendParser parses an append stream. Its zero value is for the beginning of a connection; see Join.
type AppendParser struct {
	// Link is the stream's direction.
	Link Link
	// Limit bounds the length of a frame; 0 stands for MaxMessage.
	Limit int

	state   raftpb.EntryID
	unknown bool
	off     int // within a short frame: what was looked at of it, up to a length of an entry
	left    int // entries that follow
}

// Parse is MessageParser.Parse for a frame of an append stream, whose message is what AppendReader.Read
// returns for it. As long as it returns 0, b has to begin at the same frame in the next call.
func (p *AppendParser) Parse(b []byte, m *raftpb.Message) (n, need int, err error) {
	if len(b) == 0 {
		return 0, 1, nil
	}
	switch b[0] {
	case frameHeartbeat:
		*m = raftpb.Message{Type: raftpb.MsgHeartbeat, Entries: m.Entries[:0]}
		return 1, 0, nil
	case frameShort:
		return p.short(b, m)
	case frameComplete:
		n, need, err = parseMessage(b, 1, limitOr(p.Limit), m)
		if err == nil && n > 0 {
			if m.Type != raftpb.MsgApp {
				return 0, 0, &CorruptError{Err: typeError{got: m.Type, want: raftpb.MsgApp}}
			}
			p.state, p.unknown = after(m), false
		}
		return n, need, err
	}
	return 0, 0, &CorruptError{Err: fmt.Errorf("frame type %d, want 0, 1 or 2", b[0])}
}

// short parses a short frame.
func (p *AppendParser) short(b []byte, m *raftpb.Message) (n, need int, err error) {
	if n, need, err = p.measure(b); n == 0 {
		return 0, need, err
	}
	p.off = 0
	count := int(binary.BigEndian.Uint64(b[1:]))
	entries := m.Entries[:0]
	at, state, unknown := 9, p.state, p.unknown
	for range count {
		size := int(binary.BigEndian.Uint64(b[at:]))
		at += 8
		var e raftpb.Entry
		if err := e.UnmarshalAlias(b[at : at+size]); err != nil {
			return 0, 0, undecodableAt(at, err)
		}
		if unknown { // entries of a short frame are of the leader's term
			state, unknown = raftpb.EntryID{Term: e.Term, Index: e.Index - 1}, false
		}
		want := raftpb.EntryID{Term: state.Term, Index: state.Index + 1 + uint64(len(entries))}
		if e.ID() != want {
			return 0, 0, &CorruptError{Off: int64(at), Err: orderError{got: e.ID(), want: want}}
		}
		entries = append(entries, e)
		at += size
	}
	*m = raftpb.Message{
		Type: raftpb.MsgApp, From: p.Link.From, To: p.Link.To, Entries: entries,
		Commit: binary.BigEndian.Uint64(b[at:]),
	}
	if p.unknown = unknown; !unknown {
		m.Term, m.LogTerm, m.Index = state.Term, state.Term, state.Index
		p.state = raftpb.EntryID{Term: state.Term, Index: state.Index + uint64(count)}
	}
	return n, 0, nil
}

// measure returns the length of the short frame at the beginning of b, or how long b has to be to tell more.
func (p *AppendParser) measure(b []byte) (n, need int, err error) {
	if p.off == 0 {
		if len(b) < 9 {
			return 0, 9, nil
		}
		count := binary.BigEndian.Uint64(b[1:])
		if count > MaxEntries {
			return 0, 0, &CorruptError{Off: 1, Err: limitError{"entry count", count, MaxEntries}}
		}
		p.off, p.left = 9, int(count)
	}
	for limit := limitOr(p.Limit); p.left > 0; p.left-- {
		if len(b) < p.off+8 {
			return 0, p.off + 8, nil
		}
		size := binary.BigEndian.Uint64(b[p.off:])
		if size > uint64(limit-min(p.off, limit)) {
			at := int64(p.off)
			p.off = 0
			return 0, 0, &CorruptError{Off: at, Err: limitError{"entry length", size, uint64(limit)}}
		}
		p.off += 8 + int(size)
	}
	if len(b) < p.off+8 {
		return 0, p.off + 8, nil
	}
	return p.off + 8, 0, nil
}

// State is AppendReader.State.
func (p *AppendParser) State() (id raftpb.EntryID, known bool) { return p.state, !p.unknown }

// Join makes the state unknown and forgets the frame at hand, for a parser that goes on at a border between
// frames that it doesn't know the ones before of.
func (p *AppendParser) Join() { p.state, p.unknown, p.off = raftpb.EntryID{}, true, 0 }

// parseMessage parses a length and a message at off, which is how much of the frame comes before.
func parseMessage(b []byte, off, limit int, m *raftpb.Message) (n, need int, err error) {
	at := off + 8
	if len(b) < at {
		return 0, at, nil
	}
	size := binary.BigEndian.Uint64(b[off:])
	if size > uint64(limit) {
		return 0, 0, &CorruptError{Off: int64(off), Err: limitError{"message length", size, uint64(limit)}}
	}
	n = at + int(size)
	if len(b) < n {
		return 0, n, nil
	}
	if err := m.UnmarshalReuse(b[at:n:n]); err != nil {
		return 0, 0, undecodableAt(at, err)
	}
	return n, 0, nil
}

func undecodableAt(at int, err error) error {
	if e := new(raftpb.DecodeError); errors.As(err, &e) {
		at += int(e.Off)
	}
	return &CorruptError{Off: int64(at), Err: err}
}

func limitOr(n int) int {
	if n > 0 {
		return min(n, MaxMessage)
	}
	return MaxMessage
}
