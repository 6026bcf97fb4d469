// Package wirefield walks over the fields of an encoded protobuf message whose schema it doesn't
// know. It is for small messages and few fields: what is read a million times has a decoder of its
// own.
package wirefield

import (
	"errors"
	"fmt"
	"io"
	"iter"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field is one field of a message.
type Field struct {
	Num   protowire.Number
	Type  protowire.Type
	Off   int    // where its tag begins in the message
	Uint  uint64 // the value of a VarintType
	Bytes []byte // the value of any other type, without the length of a BytesType; aliases the message
	Value int    // where the value begins: Uint, or Bytes
}

// Want returns an error if the field has another wire type.
func (f Field) Want(t protowire.Type) error {
	if f.Type != t {
		return fmt.Errorf("field %d has wire type %d, want %d", f.Num, f.Type, t)
	}
	return nil
}

// Error says where a message has bytes that are no field, or a field that isn't wanted.
type Error struct {
	Off int   // where the field begins, in bytes from the start of the message
	Err error // io.ErrUnexpectedEOF, wrapped, if the message is cut off within the field
}

// Error formats the error as "offset 4: field is cut off: unexpected EOF".
func (e *Error) Error() string { return fmt.Sprintf("offset %d: %v", e.Off, e.Err) }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// All yields the fields of message b in the order of their bytes, those of one number as often as
// they come. At bytes that are no field it yields an *Error, and ends.
func All(b []byte) iter.Seq2[Field, error] {
	return func(yield func(Field, error) bool) {
		for off := 0; off < len(b); {
			f, n := at(b, off)
			if n < 0 {
				yield(Field{}, &Error{off, parseError(n)})
				return
			}
			if !yield(f, nil) {
				return
			}
			off += n
		}
	}
}

// Each calls visit for every field of message b, up to the first error of visit. An error, of visit
// or of the message, is an *Error.
func Each(b []byte, visit func(Field) error) error {
	for f, err := range All(b) {
		if err != nil {
			return err
		}
		if err := visit(f); err != nil {
			return &Error{f.Off, err}
		}
	}
	return nil
}

// Bytes returns the first field of message b with this number and BytesType. It is nil if there is
// none before the end, or before bytes that are no field.
func Bytes(b []byte, num protowire.Number) []byte {
	for f, err := range All(b) {
		if err != nil {
			return nil
		}
		if f.Num == num && f.Type == protowire.BytesType {
			return f.Bytes
		}
	}
	return nil
}

// at returns the field at off and its size, which is negative, an error code of protowire, if there
// is none.
func at(b []byte, off int) (f Field, n int) {
	num, typ, n := protowire.ConsumeTag(b[off:])
	if n < 0 {
		return Field{}, n
	}
	f = Field{Num: num, Type: typ, Off: off}
	rest, m := b[off+n:], 0
	switch typ {
	case protowire.VarintType:
		f.Uint, m = protowire.ConsumeVarint(rest)
	case protowire.BytesType:
		f.Bytes, m = protowire.ConsumeBytes(rest)
	default:
		if m = protowire.ConsumeFieldValue(num, typ, rest); m >= 0 {
			f.Bytes = rest[:m:m]
		}
	}
	if m < 0 {
		return Field{}, m
	}
	f.Value = off + n
	if typ == protowire.BytesType {
		f.Value += m - len(f.Bytes)
	}
	return f, n + m
}

// fieldErrors says what protowire's error codes mean. Its own texts vary from build to build.
var fieldErrors = [...]error{
	1: fmt.Errorf("field is cut off: %w", io.ErrUnexpectedEOF),
	2: fmt.Errorf("bad field number, want 1 to %d", protowire.MaxValidNumber),
	3: errors.New("varint exceeds 64 bits"),
	4: errors.New("bad wire type, want 0 to 5"),
	5: errors.New("end of a group that was not begun"),
}

// parseError returns the error for an error code of protowire, which is negative.
func parseError(code int) error {
	if -code < len(fieldErrors) {
		return fieldErrors[-code]
	}
	return errors.New("malformed group")
}

// LeadingUint reads the varint field with this tag, of one byte, that b begins with, if it is
// written as encoders write it: with no byte too many. n is its size, 0 if b begins otherwise.
func LeadingUint(b []byte, tag byte) (v uint64, n int) {
	if len(b) < 2 || b[0] != tag {
		return 0, 0
	}
	if b[1] < 0x80 {
		return uint64(b[1]), 2
	}
	if v, n = MinimalUvarint(b[1:]); n == 0 {
		return 0, 0
	}
	return v, 1 + n
}

// MinimalUvarint reads a varint that has no byte too many and fits 64 bits. n is its size, 0 if b
// begins with none.
func MinimalUvarint(b []byte) (v uint64, n int) {
	if v, n = protowire.ConsumeVarint(b); n < 1 || n > 1 && b[n-1] == 0 {
		return 0, 0
	}
	return v, n
}
