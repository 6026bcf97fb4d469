package recording

import (
	"encoding/binary"
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/internal/wirefield"
	"github.com/raftctl/raftctl/raftpb"
)

// The fields of an event.
const (
	fieldKind protowire.Number = iota + 1
	fieldTime
	fieldFrom
	fieldTo
	fieldChannel
	fieldConn
	fieldSize
	fieldMessage
	fieldExchange
	fieldGap
)

// The fields of an exchange.
const (
	fieldMethod protowire.Number = iota + 1
	fieldPath
	fieldStatus
	fieldServer
	fieldCluster
	fieldNote
)

// The fields of a gap.
const (
	fieldBytes protowire.Number = iota + 1
	fieldReason
)

// appendEvent appends the record of an event.
func appendEvent(b []byte, e *stream.Event, f raftpb.Flavor) []byte {
	b = protowire.AppendVarint(protowire.AppendTag(b, fieldKind, protowire.VarintType), uint64(e.Kind))
	b = protowire.AppendFixed64(protowire.AppendTag(b, fieldTime, protowire.Fixed64Type), nanos(e.Time))
	b = appendFixed(b, fieldFrom, e.From)
	b = appendFixed(b, fieldTo, e.To)
	b = appendText(b, fieldChannel, string(e.Channel))
	b = appendUint(b, fieldConn, e.Conn)
	b = appendUint(b, fieldSize, uint64(e.Size))
	if e.Message != nil {
		b = protowire.AppendTag(b, fieldMessage, protowire.BytesType)
		b = binary.AppendUvarint(b, uint64(e.Message.Size(f)))
		b = e.Message.AppendTo(b, f)
	}
	if e.Exchange != nil {
		b = protowire.AppendTag(b, fieldExchange, protowire.BytesType)
		b = protowire.AppendBytes(b, appendExchange(nil, e.Exchange))
	}
	if e.Gap != nil {
		b = protowire.AppendTag(b, fieldGap, protowire.BytesType)
		b = protowire.AppendBytes(b, appendGap(nil, e.Gap))
	}
	return b
}

func appendExchange(b []byte, x *stream.Exchange) []byte {
	b = appendText(b, fieldMethod, x.Method)
	b = appendText(b, fieldPath, x.Path)
	b = appendUint(b, fieldStatus, uint64(x.Status))
	b = appendText(b, fieldServer, x.Server)
	b = appendFixed(b, fieldCluster, x.Cluster)
	return appendText(b, fieldNote, x.Note)
}

func appendGap(b []byte, g *stream.Gap) []byte {
	b = appendUint(b, fieldBytes, protowire.EncodeZigZag(g.Bytes))
	return appendText(b, fieldReason, g.Reason)
}

// nanos returns the nanoseconds since 1970, 0 for the zero time.
func nanos(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.UnixNano())
}

func appendUint(b []byte, num protowire.Number, v uint64) []byte {
	if v == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), v)
}

func appendFixed(b []byte, num protowire.Number, v uint64) []byte {
	if v == 0 {
		return b
	}
	return protowire.AppendFixed64(protowire.AppendTag(b, num, protowire.Fixed64Type), v)
}

func appendText(b []byte, num protowire.Number, s string) []byte {
	if s == "" {
		return b
	}
	return protowire.AppendString(protowire.AppendTag(b, num, protowire.BytesType), s)
}

// slots are what the events that are read one after the other are put into.
type slots struct {
	event    stream.Event
	message  raftpb.Message
	exchange stream.Exchange
	gap      stream.Gap
}

// read sets s.event to the event that data holds. The bytes of its message point into data.
func (s *slots) read(data []byte) error {
	s.event = stream.Event{}
	err := wirefield.Each(data, s.field)
	if err != nil {
		return err
	}
	return s.whole()
}

// whole returns an error unless the event has what its kind calls for.
func (s *slots) whole() error {
	e := &s.event
	switch {
	case e.Kind < stream.KindMessage || e.Kind > stream.KindGap:
		return fmt.Errorf("event of kind %d, want %d to %d", e.Kind, stream.KindMessage, stream.KindGap)
	case (e.Message != nil) != (e.Kind == stream.KindMessage):
		return fmt.Errorf("event of kind %d, message %t", e.Kind, e.Message != nil)
	case (e.Exchange != nil) != (e.Kind == stream.KindExchange):
		return fmt.Errorf("event of kind %d, exchange %t", e.Kind, e.Exchange != nil)
	case (e.Gap != nil) != (e.Kind == stream.KindGap):
		return fmt.Errorf("event of kind %d, gap %t", e.Kind, e.Gap != nil)
	}
	return nil
}

func (s *slots) field(f wirefield.Field) error {
	e := &s.event
	var err error
	switch f.Num {
	case fieldKind:
		e.Kind, err = stream.Kind(min(f.Uint, 0xff)), f.Want(protowire.VarintType)
	case fieldTime:
		var ns uint64
		if err = fixed(f, &ns); err == nil && ns != 0 {
			e.Time = time.Unix(0, int64(ns)).UTC()
		}
	case fieldFrom:
		err = fixed(f, &e.From)
	case fieldTo:
		err = fixed(f, &e.To)
	case fieldChannel:
		e.Channel, err = channel(f.Bytes), f.Want(protowire.BytesType)
	case fieldConn:
		e.Conn, err = f.Uint, f.Want(protowire.VarintType)
	case fieldSize:
		e.Size, err = int64(f.Uint), f.Want(protowire.VarintType)
	default:
		err = s.part(f)
	}
	return err
}

// part reads a field that is a message of its own.
func (s *slots) part(f wirefield.Field) error {
	if f.Num < fieldMessage || f.Num > fieldGap {
		return nil // of a later version
	}
	if err := f.Want(protowire.BytesType); err != nil {
		return err
	}
	switch f.Num {
	case fieldMessage:
		s.event.Message = &s.message
		return s.message.UnmarshalReuse(f.Bytes)
	case fieldExchange:
		s.exchange, s.event.Exchange = stream.Exchange{}, &s.exchange
		return wirefield.Each(f.Bytes, s.exchangeField)
	}
	s.gap, s.event.Gap = stream.Gap{}, &s.gap
	return wirefield.Each(f.Bytes, s.gapField)
}

func (s *slots) exchangeField(f wirefield.Field) error {
	x := &s.exchange
	switch f.Num {
	case fieldMethod:
		return text(f, &x.Method)
	case fieldPath:
		return text(f, &x.Path)
	case fieldStatus:
		x.Status = int(f.Uint)
		return f.Want(protowire.VarintType)
	case fieldServer:
		return text(f, &x.Server)
	case fieldCluster:
		return fixed(f, &x.Cluster)
	case fieldNote:
		return text(f, &x.Note)
	}
	return nil
}

func (s *slots) gapField(f wirefield.Field) error {
	switch f.Num {
	case fieldBytes:
		s.gap.Bytes = protowire.DecodeZigZag(f.Uint)
		return f.Want(protowire.VarintType)
	case fieldReason:
		return text(f, &s.gap.Reason)
	}
	return nil
}

func fixed(f wirefield.Field, v *uint64) error {
	if err := f.Want(protowire.Fixed64Type); err != nil {
		return err
	}
	*v = binary.LittleEndian.Uint64(f.Bytes)
	return nil
}

func text(f wirefield.Field, s *string) error {
	*s = string(f.Bytes)
	return f.Want(protowire.BytesType)
}

// channels are those that have a name of their own: reading one allocates nothing.
var channels = []stream.Channel{
	stream.ChannelMessage, stream.ChannelAppend, stream.ChannelPipeline, stream.ChannelSnapshot,
	stream.ChannelClassic, stream.ChannelPeer, stream.ChannelClient, stream.ChannelMemory,
}

func channel(name []byte) stream.Channel {
	for _, c := range channels {
		if string(name) == string(c) {
			return c
		}
	}
	return stream.Channel(name)
}
