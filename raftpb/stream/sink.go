package stream

import (
	"encoding/binary"
	"io"

	"github.com/raftctl/raftctl/raftpb"
)

// sink writes frames, each with one call of Write. An error stays: what follows half a frame would
// be taken for the rest of it.
type sink struct {
	w   io.Writer
	f   raftpb.Flavor
	err error
	buf []byte
}

// flush writes the frame b and keeps its memory for the next one.
func (s *sink) flush(b []byte) error {
	s.buf = b
	if cap(b) > chunk {
		s.buf = nil
	}
	_, s.err = s.w.Write(b)
	return s.err
}

// appendMessage appends the length of m and m, which may have at most limit bytes.
func appendMessage(b []byte, m *raftpb.Message, f raftpb.Flavor, limit int) ([]byte, error) {
	n := m.Size(f)
	if n > limit {
		return nil, limitError{what: "message length", got: uint64(n), want: uint64(limit)}
	}
	b = binary.BigEndian.AppendUint64(b, uint64(n))
	return m.AppendTo(b, f), nil
}
