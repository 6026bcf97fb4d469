package paste

import (
	"net/netip"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/raftpb/classic"
	wire "github.com/raftctl/raftctl/raftpb/stream"
	"github.com/raftctl/raftctl/wal"
)

// framed returns what b is if it begins with the frame of something.
func framed(b []byte) *Candidate {
	for _, as := range []func([]byte) *Candidate{asRecord, asMessageStream, asAppendStream, asClassicStream, asHTTP} {
		if c := as(b); c != nil {
			return c
		}
	}
	return nil
}

// asRecord reads a record of a log, in its frame.
func asRecord(b []byte) *Candidate {
	f, ok := wal.ParseFrame(b, 0, int64(len(b)), false)
	if !ok || f.End() > int64(len(b)) {
		return nil
	}
	c := &Candidate{Kind: KindRecord, Exact: true, Rest: len(b) - int(f.End()), Record: &Record{Kind: f.Kind.String()}}
	within := bare(b[f.DataOff : f.DataOff+f.DataLen])
	for i := range within {
		if string(within[i].Kind) == recordData[f.Kind] {
			c.Record.Within = &within[i]
		}
	}
	return c
}

// recordData says which kind the data of a record is.
var recordData = map[wal.Kind]string{
	wal.KindEntry: string(KindEntry), wal.KindState: string(KindHardState),
}

// asMessageStream reads frames of a message stream, or the head of a snapshot, which has the same frame.
func asMessageStream(b []byte) *Candidate {
	c := &Candidate{Kind: KindMessageStream, Exact: true}
	var p wire.MessageParser
	c.Rest = frames(b, c, p.Parse)
	if len(c.Messages) == 0 || !all(c.Messages, isMessage) {
		return nil
	}
	if c.Messages[0].Type == raftpb.MsgSnap {
		first := wire.MessageParser{}
		n, _, _ := first.Parse(b, new(raftpb.Message))
		c.Kind, c.Messages, c.Rest = KindSnapshotHead, c.Messages[:1], len(b)-n
	}
	return c
}

// asAppendStream reads frames of an append stream.
func asAppendStream(b []byte) *Candidate {
	if b[0] > 2 || b[0] == 0 && len(b) > 1 && b[1] > 2 {
		return nil
	}
	c := &Candidate{Kind: KindAppendStream, Exact: true}
	var p wire.AppendParser
	p.Join()
	c.Rest = frames(b, c, p.Parse)
	beats := all(c.Messages, wire.IsLinkHeartbeat) // zeros are such
	if len(c.Messages) == 0 || beats && c.Rest > 0 {
		return nil
	}
	return c
}

// asClassicStream reads messages of the classic binary protocol.
func asClassicStream(b []byte) *Candidate {
	c := &Candidate{Kind: KindClassicStream, Exact: true}
	c.Rest = frames(b, c, func(b []byte, m *raftpb.Message) (int, int, error) {
		said, n, need, err := classic.Parse(b)
		if err == nil && n > 0 {
			*m, err = classic.ToRaft(said, classic.Link{})
		}
		return n, need, err
	})
	if len(c.Messages) == 0 {
		return nil
	}
	return c
}

// frames reads frames up to the first that isn't whole or right, and returns how many bytes are left.
func frames(b []byte, c *Candidate, parse func([]byte, *raftpb.Message) (int, int, error)) (rest int) {
	for len(b) > 0 {
		var m raftpb.Message
		n, _, err := parse(b, &m)
		if err != nil || n == 0 {
			break
		}
		c.Messages = append(c.Messages, m)
		b = b[n:]
	}
	return len(b)
}

func all(list []raftpb.Message, holds func(*raftpb.Message) bool) bool {
	for i := range list {
		if !holds(&list[i]) {
			return false
		}
	}
	return true
}

// asHTTP reads a request or response with what it carries.
func asHTTP(b []byte) *Candidate {
	if !hasHTTP(b) {
		return nil
	}
	c := &Candidate{Kind: KindHTTP, Exact: true}
	d := stream.NewDecoder(func(e *stream.Event) bool {
		if e.Kind == stream.KindMessage {
			c.Messages = append(c.Messages, *e.Message.Clone())
		}
		return true
	})
	d.UseProtocol(stream.ProtocolEtcd)
	conn := d.Open(1, [2]netip.AddrPort{})
	conn.Begins(0)
	conn.Data(0, b, stream.Seen{})
	conn.End(0, false, stream.Seen{})
	return c
}
