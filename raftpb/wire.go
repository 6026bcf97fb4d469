package raftpb

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// The wire types in use. A tag is a field number shifted left by three, plus one of these.
const (
	wireVarint = 0
	wireBytes  = 2
)

// schema names the fields of a message: fields[i] is the field with number i+1. All messages of
// raft.proto number their fields without gaps.
type schema struct {
	name   string
	fields []field
}

type field struct {
	name string
	wire uint64
}

// reader walks over the fields of one encoded message. Its first error sticks and ends the walk.
type reader struct {
	buf    []byte
	off    int // of the next unread byte
	base   int // offset of buf within the outermost message
	at     int // where the current field begins
	tag    uint64
	shared bool // buf is the caller's: what is to point into it needs a copy first
	strict bool // fields that the schema doesn't have are an error
	schema *schema
	err    error
}

// next reads the tag of the next field. It returns false at the end and after an error.
func (r *reader) next() bool {
	if r.err != nil || r.off == len(r.buf) {
		return false
	}
	r.at, r.tag = r.off, 0
	r.tag = r.varint()
	return r.err == nil
}

// again moves to the next field if its tag is that of the current one.
func (r *reader) again() bool {
	if r.err != nil || r.off == len(r.buf) || uint64(r.buf[r.off]) != r.tag {
		return false
	}
	r.at = r.off
	r.off++
	return true
}

// varint reads the value of a varint field.
func (r *reader) varint() uint64 {
	if r.off < len(r.buf) && r.buf[r.off] < 0x80 {
		r.off++
		return uint64(r.buf[r.off-1])
	}
	v, n := protowire.ConsumeVarint(r.buf[r.off:])
	if n < 0 {
		r.failParse(n, errOverflow)
		return 0
	}
	r.off += n
	return v
}

// bytes reads the value of a length-delimited field. The result aliases the message, or the copy of it
// that the walk goes on with; it is not nil unless the walk failed.
func (r *reader) bytes() []byte {
	if r.shared {
		r.detach()
	}
	size, lo := shortVarint(r.buf, r.off)
	if lo > len(r.buf) {
		size = r.varint()
		lo = r.off
	}
	if r.err != nil {
		return nil
	}
	if rest := len(r.buf) - lo; size > uint64(rest) {
		r.fail(lengthError(size, rest))
		return nil
	}
	r.off = lo + int(size)
	return r.buf[lo:r.off:r.off]
}

// detach goes on in a copy of what remains, from the current field on.
func (r *reader) detach() {
	r.buf = clone(r.buf[r.at:])
	r.base, r.off, r.at = r.base+r.at, r.off-r.at, 0
	r.shared = false
}

// start returns the offset, within the outermost message, of the value that bytes returned last.
func (r *reader) start(value []byte) int { return r.base + r.off - len(value) }

// uint64s appends the value of a repeated field, which is a single varint or a packed list.
func (r *reader) uint64s(list []uint64) []uint64 {
	if r.tag&7 == wireVarint {
		if len(list) == 0 {
			list = slices.Grow(list, r.run())
		}
		return append(list, r.varint())
	}
	b := r.bytes()
	list = slices.Grow(list, countVarints(b))
	for sub := (reader{buf: b, base: r.start(b), schema: r.schema}); sub.off < len(b); {
		list = append(list, sub.varint())
		if sub.err != nil {
			r.fail(errors.Unwrap(sub.err))
			return list
		}
	}
	return list
}

// countVarints returns how many varints end in b.
func countVarints(b []byte) int {
	n := 0
	for _, c := range b {
		if c < 0x80 {
			n++
		}
	}
	return n
}

// run returns how many fields with the current tag follow each other from the current one on, so
// that a list is allocated once. Each has bytes of its own in the message: the count is bounded by
// the message's length, whatever the fields claim.
func (r *reader) run() int {
	n := 0
	for off := r.at; off < len(r.buf) && uint64(r.buf[off]) == r.tag; n++ {
		v, next := shortVarint(r.buf, off+1)
		if r.tag&7 == wireBytes && next <= len(r.buf) {
			next += int(min(v, uint64(len(r.buf))))
		}
		off = next
	}
	return max(n, 1)
}

// skip passes over a field that the message's type doesn't have. A field that it does have comes
// here only with a wrong wire type, which is an error.
func (r *reader) skip() {
	num, wire := r.tag>>3, r.tag&7
	if num == 0 || num > uint64(protowire.MaxValidNumber) {
		r.fail(fmt.Errorf("field number %d, want 1 to %d", num, protowire.MaxValidNumber))
		return
	}
	if num <= uint64(len(r.schema.fields)) {
		r.fail(wireTypeError{wire, r.schema.fields[num-1].wire})
		return
	}
	if r.strict {
		r.fail(fmt.Errorf("field number %d, want 1 to %d", num, len(r.schema.fields)))
		return
	}
	n := protowire.ConsumeFieldValue(protowire.Number(num), protowire.Type(wire), r.buf[r.off:])
	if n < 0 {
		r.failParse(n, unknownError(wire))
		return
	}
	r.off += n
}

// unknownError is what an unknown field gets that can't be skipped.
func unknownError(wire uint64) error {
	switch protowire.Type(wire) {
	case protowire.VarintType:
		return errOverflow
	case protowire.EndGroupType:
		return errEndGroup
	case protowire.StartGroupType:
		return errGroup
	}
	return fmt.Errorf("wire type %d, want 0 to 5", wire)
}

// failParse ends the walk at a value that can't be read: it is cut off, or else err says why. n is
// what protowire returned for it.
func (r *reader) failParse(n int, err error) {
	if errors.Is(protowire.ParseError(n), io.ErrUnexpectedEOF) {
		err = errTruncated
	}
	r.fail(err)
}

// nested ends the walk if the message within the current field was bad. err names the field there.
func (r *reader) nested(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *reader) fail(err error) {
	if r.err != nil {
		return
	}
	e := &DecodeError{Type: r.schema.name, Off: r.base + r.at, Err: err}
	if num := r.tag >> 3; num > 0 && num <= uint64(len(r.schema.fields)) {
		e.Field = r.schema.fields[num-1].name
	}
	r.err = e
}

// appendUint appends a varint field, or nothing if v is zero and always is false.
func appendUint(b []byte, tag byte, v uint64, always bool) []byte {
	if v < 0x80 {
		if v == 0 && !always {
			return b
		}
		return append(b, tag, byte(v))
	}
	if n := len(b); v >= 1<<56 && cap(b)-n >= longField {
		return b[:n+putLong((*[longField]byte)(b[n:n+longField]), tag, v)]
	}
	return protowire.AppendVarint(append(b, tag), v)
}

// appendBytes appends a bytes field, or nothing if data is nil.
func appendBytes(b []byte, tag byte, data []byte) []byte {
	if data == nil {
		return b
	}
	return append(appendLen(b, tag, len(data)), data...)
}

// appendLen appends the tag and length that a field of size bytes begins with.
func appendLen(b []byte, tag byte, size int) []byte {
	return appendUint(b, tag, uint64(size), true)
}

// appendList appends an unpacked list.
func appendList(b []byte, tag byte, list []uint64) []byte {
	for _, v := range list {
		b = appendUint(b, tag, v, true)
	}
	return b
}

// sizeUint is the size of what appendUint appends.
func sizeUint(v uint64, always bool) int {
	if v == 0 && !always {
		return 0
	}
	return 1 + protowire.SizeVarint(v)
}

// sizeBytes is the size of what appendBytes appends.
func sizeBytes(data []byte) int {
	if data == nil {
		return 0
	}
	return sizeLen(len(data))
}

// sizeLen is the size of a field whose value has size bytes: tag, length and value.
func sizeLen(size int) int { return 1 + protowire.SizeVarint(uint64(size)) + size }

// sizeList is the size of what appendList appends.
func sizeList(list []uint64) int {
	n := 0
	for _, v := range list {
		n += sizeUint(v, true)
	}
	return n
}

func boolToUint(v bool) uint64 {
	if v {
		return 1
	}
	return 0
}

// clone is slices.Clone without capacity to spare. Of few bytes, as most fields are, it is faster.
func clone(b []byte) []byte {
	if b == nil {
		return nil
	}
	c := make([]byte, len(b))
	copy(c, b)
	return c
}
