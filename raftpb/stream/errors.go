package stream

import (
	"errors"
	"fmt"
	"io"

	"github.com/raftctl/raftctl/raftpb"
)

// ErrTorn is returned when a stream ends within a frame, or when the reader below reports
// io.ErrUnexpectedEOF, as that of an HTTP body does when the connection broke. Test for this error
// rather than for io.ErrUnexpectedEOF: a *CorruptError may wrap the latter, when a field of a whole
// frame claims more bytes than the frame has.
var ErrTorn = fmt.Errorf("the stream is cut off: %w", io.ErrUnexpectedEOF)

// ErrType is returned when a message isn't of the type that belongs where it stands.
var ErrType = errors.New("message of another type")

// CorruptError says where the bytes of a stream stop being what a member sends.
type CorruptError struct {
	Off int64 // where, in bytes from where the reader began
	Err error // what was found and what was expected
}

// Error formats the error as "offset 17: frame type 9, want 0, 1 or 2".
func (e *CorruptError) Error() string { return fmt.Sprintf("offset %d: %v", e.Off, e.Err) }

// Unwrap returns Err.
func (e *CorruptError) Unwrap() error { return e.Err }

// ReadError says how far a stream could be read.
type ReadError struct {
	Frame int64 // where the frame begins that isn't whole, in bytes from where the reader began
	Off   int64 // up to where bytes arrived
	Err   error // ErrTorn, or the error of the reader below
}

// Error formats the error as "offset 21: frame of offset 17: the stream is cut off: unexpected EOF".
func (e *ReadError) Error() string {
	return fmt.Sprintf("offset %d: frame of offset %d: %v", e.Off, e.Frame, e.Err)
}

// Unwrap returns Err.
func (e *ReadError) Unwrap() error { return e.Err }

// limitError is what a length or count gets that is larger than any member sends.
type limitError struct {
	what      string
	got, want uint64
}

func (e limitError) Error() string {
	return fmt.Sprintf("%s %d, want at most %d", e.what, e.got, e.want)
}

// typeError is what a message gets that doesn't belong where it was found.
type typeError struct{ got, want raftpb.MessageType }

func (e typeError) Error() string {
	return fmt.Sprintf("message type %v, want %v", e.got, e.want)
}

// Is makes the error one with ErrType.
func (e typeError) Is(target error) bool { return target == ErrType }

// orderError is what an entry gets that doesn't follow the one before it.
type orderError struct{ got, want raftpb.EntryID }

func (e orderError) Error() string { return fmt.Sprintf("entry %v, want %v", e.got, e.want) }

var errNoSnapshot = errors.New("MsgSnap without a snapshot, want one")
