package raftpb

import (
	"errors"
	"fmt"
	"io"
)

// DecodeError says where the bytes of a message stop being a message of its type.
type DecodeError struct {
	Type  string // the innermost type that was being decoded, such as "Entry"
	Field string // its field as raft.proto names it; empty when the tag itself is bad
	Off   int    // where that field begins, in bytes from the start of the outermost message
	Err   error  // what was found and what was expected; io.ErrUnexpectedEOF when bytes are missing
}

// Error formats the error as "Entry.term: offset 4: wire type 2, want 0".
func (e *DecodeError) Error() string {
	name := e.Type
	if e.Field != "" {
		name += "." + e.Field
	}
	return fmt.Sprintf("%s: offset %d: %v", name, e.Off, e.Err)
}

// Unwrap returns Err.
func (e *DecodeError) Unwrap() error { return e.Err }

var (
	errOverflow  = errors.New("varint exceeds 64 bits")
	errEndGroup  = errors.New("end of a group that was not begun")
	errGroup     = errors.New("malformed group")
	errTruncated = fmt.Errorf("field is cut off: %w", io.ErrUnexpectedEOF)
)

// wireTypeError is what a known field gets that comes with the wire type of another kind.
type wireTypeError struct{ got, want uint64 }

func (e wireTypeError) Error() string {
	return fmt.Sprintf("wire type %d, want %d", e.got, e.want)
}

// depthError is what a message gets that lies too deep within the responses of others.
type depthError struct{ depth int }

func (e depthError) Error() string {
	return fmt.Sprintf("nested %d deep, want at most %d", e.depth, maxDepth)
}

// lengthError is what a field gets that claims more bytes than the message has left.
func lengthError(size uint64, rest int) error {
	return fmt.Errorf("length %d, but %d bytes remain: %w", size, rest, io.ErrUnexpectedEOF)
}
