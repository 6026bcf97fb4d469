package etcdwire

import (
	"fmt"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// Decoder is one of the two protobuf implementations that etcd was built with.
type Decoder uint8

// The decoders.
const (
	Gogo   Decoder = iota // etcd up to 3.6
	Google                // etcd from 3.7 on
)

// Fault is a protobuf error in etcd's words. Torn is set for the one error of gogo's that is
// io.ErrUnexpectedEOF itself, so that etcd up to 3.6 takes a cut field for a torn write.
type Fault struct {
	Text string
	Torn bool
}

var invalid = &Fault{Text: "proto: cannot parse invalid wire-format data"}

// Truncated is the fault of a message that ends within a field, by gogo's decoder.
var Truncated = &Fault{Text: "unexpected EOF", Torn: true}

// Value is one field of a message as it lies on the wire.
type Value struct {
	Num  protowire.Number
	Type protowire.Type
	N    uint64 // of a varint
	Data []byte // of a length-delimited field; it aliases the message
}

// Message describes a message, so far as what is in it can make a decoder fail.
type Message struct {
	Name   string // its Go name, for gogo's errors
	Fields []Field
}

// Field describes one field of a message.
type Field struct {
	Num  protowire.Number
	Name string         // its Go name, for gogo's errors
	Type protowire.Type // or Repeated
	Sub  *Message       // of a field that holds a message
	UTF8 bool           // a proto3 string, which google's decoder checks
}

// Repeated stands for a list of varints, packed or not.
const Repeated = protowire.Type(-1)

// maxDepth is how deep google's decoder follows messages into each other. Gogo's has no bound; here
// it is taken to find nothing further down.
const maxDepth = 10_000

// find returns the field with the number, or nil. Fields lie in order, most at their number.
func (m *Message) find(num protowire.Number) *Field {
	if i := int(num) - 1; i >= 0 && i < len(m.Fields) && m.Fields[i].Num == num {
		return &m.Fields[i]
	}
	for i := range m.Fields {
		if m.Fields[i].Num == num {
			return &m.Fields[i]
		}
	}
	return nil
}

func (f *Field) admits(t protowire.Type) bool {
	if f.Type == Repeated {
		return t == protowire.VarintType || t == protowire.BytesType
	}
	return t == f.Type
}

// Check returns what etcd would say if it can't decode b, or nil.
func (m *Message) Check(b []byte, d Decoder) *Fault {
	return m.Each(b, d, func(Value) {})
}

// Each calls visit for every known field of b, in the order of the bytes, and returns what etcd
// would say if it can't decode b. Fields before the fault have been visited then.
func (m *Message) Each(b []byte, d Decoder, visit func(Value)) *Fault {
	return m.each(b, d, 0, visit)
}

func (m *Message) each(b []byte, d Decoder, depth int, visit func(Value)) *Fault {
	for len(b) > 0 {
		f, v, n, fault := m.next(b, d)
		if fault == nil && f != nil {
			fault = f.check(&v, d, depth)
		}
		if fault != nil {
			return fault
		}
		if f != nil {
			visit(v)
		}
		b = b[n:]
	}
	return nil
}

// next decodes one field and returns its length, tag included. The field is nil if the message
// doesn't have it.
func (m *Message) next(b []byte, d Decoder) (f *Field, v Value, n int, fault *Fault) {
	tag, n := protowire.ConsumeVarint(b)
	if n < 0 {
		return nil, v, 0, varintFault(n, d)
	}
	v = Value{Num: protowire.Number(tag >> 3), Type: protowire.Type(tag & 7)}
	if fault := m.checkTag(tag, d); fault != nil {
		return nil, v, 0, fault
	}
	if f = m.find(v.Num); f == nil || !f.admits(v.Type) {
		size, fault := v.skip(b, n, d)
		return nil, v, size, fault
	}
	size := v.consume(b[n:])
	if size < 0 {
		return nil, v, 0, varintFault(size, d)
	}
	return f, v, n + size, nil
}

func (m *Message) checkTag(tag uint64, d Decoder) *Fault {
	if d == Google {
		if num := tag >> 3; num < 1 || num > uint64(protowire.MaxValidNumber) {
			return invalid
		}
		return nil
	}
	num, typ := int32(tag>>3), protowire.Type(tag&7)
	f := m.find(protowire.Number(num))
	switch {
	case typ == protowire.EndGroupType:
		return &Fault{Text: "proto: " + m.Name + ": wiretype end group for non-group"}
	case num <= 0:
		return &Fault{Text: fmt.Sprintf("proto: %s: illegal tag %d (wire type %d)",
			m.Name, num, tag)}
	case f != nil && !f.admits(typ):
		return &Fault{Text: fmt.Sprintf("proto: wrong wireType = %d for field %s", typ, f.Name)}
	}
	return nil
}

// check looks into a field that the message, which lies depth messages deep, knows.
func (f *Field) check(v *Value, d Decoder, depth int) *Fault {
	switch {
	case f.Sub != nil && depth < maxDepth:
		return f.Sub.each(v.Data, d, depth+1, func(Value) {})
	case f.Sub != nil && d == Google:
		return &Fault{Text: "proto: exceeded maximum recursion depth"}
	case f.Type == Repeated && v.Type == protowire.BytesType:
		return checkPacked(v.Data, d)
	case f.UTF8 && d == Google && !utf8.Valid(v.Data):
		return &Fault{Text: "string field contains invalid UTF-8"}
	}
	return nil
}

func checkPacked(b []byte, d Decoder) *Fault {
	for len(b) > 0 {
		_, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return varintFault(n, d)
		}
		b = b[n:]
	}
	return nil
}

// consume reads a known field's value and returns its length, negative if it is cut or malformed.
func (v *Value) consume(b []byte) (n int) {
	if v.Type == protowire.VarintType {
		v.N, n = protowire.ConsumeVarint(b)
		return n
	}
	v.Data, n = protowire.ConsumeBytes(b)
	return n
}

// skip returns the length of an unknown field, including its tag of n bytes.
func (v *Value) skip(b []byte, n int, d Decoder) (int, *Fault) {
	if d == Gogo {
		return skipGogo(b)
	}
	m := protowire.ConsumeFieldValue(v.Num, v.Type, b[n:])
	if m < 0 {
		return 0, invalid
	}
	return n + m, nil
}

// skipGogo returns the length of the unknown field that b begins with, tag included.
func skipGogo(b []byte) (int, *Fault) {
	depth := 0
	for off := 0; off < len(b); {
		tag, n := protowire.ConsumeVarint(b[off:])
		if n < 0 {
			return 0, varintFault(n, Gogo)
		}
		off += n
		m := 0
		switch typ := protowire.Type(tag & 7); typ {
		case protowire.StartGroupType:
			depth++
		case protowire.EndGroupType:
			if depth--; depth < 0 {
				return 0, &Fault{Text: "proto: unexpected end of group"}
			}
		case protowire.VarintType, protowire.BytesType, protowire.Fixed32Type, protowire.Fixed64Type:
			m = protowire.ConsumeFieldValue(1, typ, b[off:])
		default:
			return 0, &Fault{Text: fmt.Sprintf("proto: illegal wireType %d", typ)}
		}
		if m < 0 {
			return 0, varintFault(m, Gogo)
		}
		if off += m; depth == 0 {
			return off, nil
		}
	}
	return 0, Truncated
}

// varintFault translates protowire's error codes.
func varintFault(code int, d Decoder) *Fault {
	const cut, overflow = -1, -3
	switch {
	case d == Google:
		return invalid
	case code == overflow:
		return &Fault{Text: "proto: integer overflow"}
	case code == cut:
		return Truncated
	}
	return invalid
}
