package stream

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/raftctl/raftctl/raftpb"
)

// source reads frames and knows where it is. Its first error, other than a clean end, stays.
type source struct {
	r      io.Reader
	off    int64 // of the next byte
	frame  int64 // where the frame begins that is being read
	err    error
	number [8]byte // here because a local array would escape to the heap with every read
	buf    []byte
}

// begin starts a frame. Invariant: off is at a border between frames.
func (s *source) begin() error {
	s.frame = s.off
	return s.err
}

// read fills b. It returns io.EOF only for a stream that ends where a frame would begin.
func (s *source) read(b []byte) error {
	n, err := io.ReadFull(s.r, b)
	s.off += int64(n)
	switch {
	case err == nil:
		return nil
	case err == io.EOF && s.off == s.frame: // ReadFull's own: not one byte came
		return io.EOF
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = ErrTorn
	}
	return s.fail(&ReadError{Frame: s.frame, Off: s.off, Err: err})
}

func (s *source) fail(err error) error {
	s.err = err
	return err
}

func (s *source) corrupt(off int64, err error) error {
	return s.fail(&CorruptError{Off: off, Err: err})
}

// uint64 reads 8 bytes, the highest first.
func (s *source) uint64() (uint64, error) {
	if err := s.read(s.number[:]); err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(s.number[:]), nil
}

// bounded reads a number of at most limit; what names it in the error.
func (s *source) bounded(what string, limit uint64) (int, error) {
	off := s.off
	n, err := s.uint64()
	if err != nil {
		return 0, err
	}
	if n > limit {
		return 0, s.corrupt(off, limitError{what: what, got: n, want: limit})
	}
	return int(n), nil
}

// bytes reads n bytes, which are valid until the next call.
func (s *source) bytes(n int) ([]byte, error) {
	if cap(s.buf) > chunk {
		s.buf = nil
	}
	b := s.buf[:0]
	for len(b) < n {
		have := len(b)
		b = extend(b, min(n-have, chunk))
		if err := s.read(b[have:]); err != nil {
			return nil, err
		}
	}
	s.buf = b
	return b, nil
}

// extend makes b longer by n bytes, whose content is undefined.
func extend(b []byte, n int) []byte {
	if cap(b)-len(b) >= n {
		return b[:len(b)+n]
	}
	longer := make([]byte, len(b)+n, max(len(b)+n, 2*cap(b)))
	copy(longer, b)
	return longer
}

// message reads a length and a message of at most limit bytes. What it returns shares no memory
// with the buffer.
func (s *source) message(m *raftpb.Message, limit uint64) error {
	n, err := s.bounded("message length", limit)
	if err != nil {
		return err
	}
	b, err := s.bytes(n)
	if err != nil {
		return err
	}
	if err := m.Unmarshal(b); err != nil {
		return s.undecodable(n, err)
	}
	return nil
}

// undecodable reports the field at which the last n bytes can't be decoded.
func (s *source) undecodable(n int, err error) error {
	off := s.off - int64(n)
	if e := new(raftpb.DecodeError); errors.As(err, &e) {
		off += int64(e.Off)
	}
	return s.corrupt(off, err)
}
