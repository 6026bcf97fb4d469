package wal

import (
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
)

// field is one field of a message: value is set for varints, bytes for length-delimited fields.
type field struct {
	num   protowire.Number
	wire  protowire.Type
	value uint64
	bytes []byte
}

func (f field) want(t protowire.Type) error {
	if f.wire != t {
		return fmt.Errorf("field %d has wire type %d, want %d", f.num, f.wire, t)
	}
	return nil
}

// eachField calls visit for every field of the message b.
func eachField(b []byte, visit func(field) error) error {
	for off := 0; off < len(b); {
		f, n := consumeField(b[off:])
		if n < 0 {
			return fmt.Errorf("offset %d: %w", off, parseError(n))
		}
		if err := visit(f); err != nil {
			return fmt.Errorf("offset %d: %w", off, err)
		}
		off += n
	}
	return nil
}

// consumeField returns the first field of b and its size, which is negative if there is none.
func consumeField(b []byte) (f field, n int) {
	num, wire, n := protowire.ConsumeTag(b)
	if n < 0 {
		return field{}, n
	}
	f = field{num: num, wire: wire}
	m := 0
	switch wire {
	case protowire.VarintType:
		f.value, m = protowire.ConsumeVarint(b[n:])
	case protowire.BytesType:
		f.bytes, m = protowire.ConsumeBytes(b[n:])
	default:
		m = protowire.ConsumeFieldValue(num, wire, b[n:])
	}
	if m < 0 {
		return field{}, m
	}
	return f, n + m
}

func parseError(n int) error {
	err := protowire.ParseError(n)
	if err == io.ErrUnexpectedEOF {
		return fmt.Errorf("field is cut off: %w", err)
	}
	return err
}
