package stream

import (
	"io"

	"github.com/raftctl/raftctl/raftpb"
)

// ReadSnapshotHead sets m to the MsgSnap at the beginning of r, the body of a POST to PathSnapshot,
// and leaves r at the first byte of the database, which goes on up to the end of r. The database has
// neither a length nor a checksum: only the end of the HTTP body says that it is whole. Errors are
// those of MessageReader.Read, but for io.EOF: an empty body is torn. A message of another type or
// without a snapshot is corrupt. What m holds may be kept.
func ReadSnapshotHead(r io.Reader, m *raftpb.Message) error {
	s := source{r: r}
	err := s.message(m, MaxSnapshotHead)
	switch {
	case err == io.EOF:
		return &ReadError{Err: ErrTorn}
	case err != nil:
		return err
	}
	if err := checkSnapshot(m); err != nil {
		return s.corrupt(0, err)
	}
	return nil
}

// WriteSnapshotHead writes m, a MsgSnap, in the flavour f with one call of w.Write. The bytes of the
// database are to follow. Another message, or one above MaxSnapshotHead, is refused.
func WriteSnapshotHead(w io.Writer, m *raftpb.Message, f raftpb.Flavor) error {
	if err := checkSnapshot(m); err != nil {
		return err
	}
	b, err := appendMessage(nil, m, f, MaxSnapshotHead)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

func checkSnapshot(m *raftpb.Message) error {
	if m.Type != raftpb.MsgSnap {
		return typeError{got: m.Type, want: raftpb.MsgSnap}
	}
	if m.Snapshot == nil {
		return errNoSnapshot
	}
	return nil
}
