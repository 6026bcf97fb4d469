package decode

import (
	"iter"
	"slices"

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

// next reads the field that b begins with into v, and returns how many bytes it takes: a number
// below 0 when the bytes are no field, and also when a field that the schema knows has another wire
// type: etcd's decoders up to 3.6 refuse it too, and that is what tells a v2 request from a v3 one. (It
// is not wirefield's walk: it looks the field up, checks its type and fills in v in one step, and every
// entry of a log comes through here.)
func (m *message) next(b []byte, v *value) int {
	tag, n := varint(b)
	num, typ := protowire.DecodeTag(tag)
	if n < 0 || num < protowire.MinValidNumber {
		return -1
	}
	*v = value{field: m.find(num), num: num, typ: typ}
	if v.field != nil && v.field.kind.wireType() != typ {
		return -1
	}
	rest := b[n:]
	size := 0
	switch typ {
	case protowire.VarintType:
		v.n, size = varint(rest)
	case protowire.BytesType:
		v.data, size = delimited(rest)
	default:
		if size = protowire.ConsumeFieldValue(num, typ, rest); size >= 0 {
			v.data = rest[:size]
		}
	}
	if size < 0 {
		return -1
	}
	return n + size
}

// delimited reads a length and as many bytes, and returns the size of both or a number below 0.
func delimited(b []byte) (data []byte, size int) {
	want, n := varint(b)
	if n < 0 || want > uint64(len(b)-n) {
		return nil, -1
	}
	size = n + int(want)
	return b[n:size], size
}

// varint reads a varint, and returns its size or a number below 0. Most are of one byte or two.
func varint(b []byte) (v uint64, size int) {
	if len(b) > 1 && b[1] < 0x80 && b[0] >= 0x80 {
		return uint64(b[0]&0x7f) | uint64(b[1])<<7, 2
	}
	if len(b) > 0 && b[0] < 0x80 {
		return uint64(b[0]), 1
	}
	return protowire.ConsumeVarint(b)
}

// check reports whether b is a message of the schema, all the way down to maxDepth.
func (m *message) check(b []byte, depth int) bool {
	var v value
	for len(b) > 0 {
		n := m.next(b, &v)
		if n < 0 || !v.check(depth) {
			return false
		}
		b = b[n:]
	}
	return true
}

// check reports whether a field of a message at that depth is what the schema says.
func (v *value) check(depth int) bool {
	return v.field == nil || v.field.kind != kindMessage || depth == maxDepth ||
		v.field.msg.lookup().check(v.data, depth+1)
}

// read is check of an outermost message and collect in one. The fields count only if ok.
func (m *message) read(list []value, b []byte) (fields []value, ok bool) {
	c := collector{list: list, base: len(list)}
	for len(b) > 0 {
		n := m.next(b, c.next())
		if n < 0 || !c.next().check(0) {
			return c.list, false
		}
		c.take()
		b = b[n:]
	}
	return c.list, true
}

// collect appends the fields of a message to list, each once: the last one of a scalar counts, a
// message that comes in parts is put together, one field of a oneof displaces the others. Of a list
// the first element is taken, which stands for all. Of the fields that are not in the schema it
// takes the first, which stands for all. It ends at a field that can't be read: check has seen to
// it that there is none.
func (m *message) collect(list []value, b []byte) []value {
	c := collector{list: list, base: len(list)}
	for len(b) > 0 {
		n := m.next(b, c.next())
		if n < 0 {
			break
		}
		c.take()
		b = b[n:]
	}
	return c.list
}

// collector collects the fields of one message.
type collector struct {
	list []value
	base int              // where the message's fields begin
	last protowire.Number // the highest number so far
}

// next returns the place behind the list, which the next field is read into.
func (c *collector) next() *value {
	n := len(c.list)
	if n == cap(c.list) {
		c.list = slices.Grow(c.list, 1)
	}
	return &c.list[:n+1][n]
}

// take takes in the field that was read. Encoders write fields in ascending order: such a field is
// a new one, and stays where it is.
func (c *collector) take() {
	v := c.next()
	ascending := v.num > c.last
	c.last = max(c.last, v.num)
	if ascending && v.field != nil && v.field.one == 0 || !c.merge(v) {
		c.list = c.list[:len(c.list)+1]
	}
}

// merge reports whether the list has what v is another occurrence of.
func (c *collector) merge(v *value) bool {
	for i := c.base; i < len(c.list); i++ {
		if c.list[i].field == v.field {
			c.list[i].merge(v)
			return true
		}
	}
	if v.field != nil && v.field.one != 0 {
		c.dropOneof(v)
	}
	return false
}

// merge takes in another occurrence of the field.
func (v *value) merge(later *value) {
	switch {
	case v.field == nil || v.field.flag&repeated != 0:
	case v.field.kind != kindMessage:
		*v = *later
	case v.owned:
		v.data = append(v.data, later.data...)
	default:
		v.data = append(append([]byte(nil), v.data...), later.data...)
		v.owned = true
	}
}

// dropOneof drops the other fields of the oneof of v, which lies behind the list.
func (c *collector) dropOneof(v *value) {
	kept := c.list[:c.base]
	for _, other := range c.list[c.base:] {
		if other.field == nil || other.field.one != v.field.one {
			kept = append(kept, other)
		}
	}
	c.list = kept
	*c.next() = *v
}

// known yields the fields of a message that the schema knows, as they lie on the wire.
func (m *message) known(b []byte) iter.Seq[value] {
	return func(yield func(value) bool) {
		var v value
		for len(b) > 0 {
			n := m.next(b, &v)
			if n < 0 || v.field != nil && !yield(v) {
				return
			}
			b = b[n:]
		}
	}
}

// unknown yields the fields of a message that the schema does not know.
func (m *message) unknown(b []byte) iter.Seq[value] {
	return func(yield func(value) bool) {
		var v value
		for len(b) > 0 {
			n := m.next(b, &v)
			if n < 0 || v.field == nil && !yield(v) {
				return
			}
			b = b[n:]
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
