package decode

import (
	"iter"

	"google.golang.org/protobuf/encoding/protowire"
)

// maxDepth bounds how deep messages are followed into each other. A transaction within a
// transaction costs two levels; etcd's clients hardly write more than one.
const maxDepth = 64

// value is one field as it lies on the wire.
type value struct {
	field *field // nil: the schema doesn't know it
	num   protowire.Number
	typ   protowire.Type
	owned bool   // data was put together here, and may be appended to
	n     uint64 // of varints
	data  []byte // of everything else
}

// next reads one field. It fails when the bytes are no field, and also when a field that the
// schema knows has another wire type: etcd's decoders up to 3.6 do so too, and that is what tells a
// v2 request from a v3 one.
func (m *message) next(b []byte) (v value, rest []byte, ok bool) {
	tag, n := varint(b)
	if n < 0 {
		return value{}, nil, false
	}
	b = b[n:]
	v.num, v.typ = protowire.DecodeTag(tag)
	if v.num < protowire.MinValidNumber {
		return v, nil, false
	}
	v.field = m.find(v.num)
	if v.field != nil && v.field.kind.wireType() != v.typ {
		return v, nil, false
	}
	switch v.typ {
	case protowire.VarintType:
		v.n, n = varint(b)
	case protowire.BytesType:
		var size uint64
		if size, n = varint(b); n < 0 || size > uint64(len(b)-n) {
			return v, nil, false
		}
		v.data = b[n : n+int(size)]
		n += int(size)
	default:
		if n = protowire.ConsumeFieldValue(v.num, v.typ, b); n >= 0 {
			v.data = b[:n]
		}
	}
	if n < 0 {
		return v, nil, false
	}
	return v, b[n:], true
}

// varint reads a varint, and returns its size or a number below 0. Most are of one byte, and need
// no call.
func varint(b []byte) (v uint64, size int) {
	if len(b) > 0 && b[0] < 0x80 {
		return uint64(b[0]), 1
	}
	return protowire.ConsumeVarint(b)
}

// check reports whether b is a message of the schema, all the way down to maxDepth.
func (m *message) check(b []byte, depth int) bool {
	for len(b) > 0 {
		v, rest, ok := m.next(b)
		if !ok {
			return false
		}
		if v.field != nil && v.field.kind == kindMessage && depth < maxDepth &&
			!v.field.msg.lookup().check(v.data, depth+1) {
			return false
		}
		b = rest
	}
	return true
}

// collect appends the fields of a message to list, each once: the last one of a scalar counts, a
// message that comes in parts is put together, one field of a oneof displaces the others. Of a list
// the first element is taken, which stands for all. Of the fields that are not in the schema it
// takes the first, which stands for all. It ends at a field that can't be read: check has seen to
// it that there is none.
func (m *message) collect(list []value, b []byte) []value {
	base := len(list)
	for len(b) > 0 {
		v, rest, ok := m.next(b)
		if !ok {
			return list
		}
		list = merge(list, base, v)
		b = rest
	}
	return list
}

func merge(list []value, base int, v value) []value {
	for i := base; i < len(list); i++ {
		if list[i].field == v.field {
			list[i].merge(v)
			return list
		}
	}
	if v.field != nil && v.field.one != 0 {
		list = dropOneof(list, base, v.field.one)
	}
	return append(list, v)
}

// merge takes in another occurrence of the field.
func (v *value) merge(later value) {
	switch {
	case v.field == nil || v.field.flag&repeated != 0:
	case v.field.kind != kindMessage:
		*v = later
	case v.owned:
		v.data = append(v.data, later.data...)
	default:
		v.data = append(append([]byte(nil), v.data...), later.data...)
		v.owned = true
	}
}

func dropOneof(list []value, base int, one uint8) []value {
	kept := list[:base]
	for _, v := range list[base:] {
		if v.field == nil || v.field.one != one {
			kept = append(kept, v)
		}
	}
	return kept
}

// known yields the fields of a message that the schema knows, as they lie on the wire.
func (m *message) known(b []byte) iter.Seq[value] {
	return func(yield func(value) bool) {
		for len(b) > 0 {
			v, rest, ok := m.next(b)
			if !ok || v.field != nil && !yield(v) {
				return
			}
			b = rest
		}
	}
}

// unknown yields the fields of a message that the schema does not know.
func (m *message) unknown(b []byte) iter.Seq[value] {
	return func(yield func(value) bool) {
		for len(b) > 0 {
			v, rest, ok := m.next(b)
			if !ok || v.field == nil && !yield(v) {
				return
			}
			b = rest
		}
	}
}

// has reports whether a field occurs in a message.
func (m *message) has(b []byte, f *field) bool {
	for v := range m.known(b) {
		if v.field == f {
			return true
		}
	}
	return false
}
