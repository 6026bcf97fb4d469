package stream

import (
	"errors"
	"fmt"
	"io"

	"github.com/raftctl/raftctl/raftpb"
)

// ReadPipeline sets m to the message that is all of r, the body of a POST to PathPipeline, which is
// written with m.Marshal. An empty body is the message without fields. Its errors are those of
// MessageReader.Read but for io.EOF: a body that is cut off is told by the reader r alone. What m
// holds may be kept.
func ReadPipeline(r io.Reader, m *raftpb.Message) error {
	b, err := readBody(r, MaxMessage)
	if err != nil {
		return err
	}
	if err := m.Unmarshal(b); err != nil {
		s := source{off: int64(len(b))}
		return s.undecodable(len(b), err)
	}
	return nil
}

// readBody reads up to the end, which must come after at most limit bytes. Memory grows with what
// arrives.
func readBody(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	n := int64(len(b))
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, &ReadError{Off: n, Err: ErrTorn}
	case err != nil:
		return nil, &ReadError{Off: n, Err: err}
	case n > limit:
		return nil, &CorruptError{Off: limit, Err: fmt.Errorf("body goes on, want at most %d bytes", limit)}
	}
	return b, nil
}
