package stream

import (
	"fmt"
	"io"

	"github.com/raftctl/raftctl/raftpb"
)

// Link is the direction of a stream. The receiver dials.
type Link struct {
	From uint64 // the member that was dialled, which sends
	To   uint64 // the member that dialled
}

// The first byte of a frame of an append stream.
const (
	frameHeartbeat = 0
	frameShort     = 1
	frameComplete  = 2
)

// AppendReader reads an append stream.
type AppendReader struct {
	src   source
	link  Link
	state raftpb.EntryID
	known bool
}

// NewAppendReader returns a reader of the stream r, which must be at the beginning of the connection;
// else see Join and Seed. Like a MessageReader it takes no byte beyond a frame.
func NewAppendReader(r io.Reader, link Link) *AppendReader {
	return &AppendReader{src: source{r: r}, link: link, known: true}
}

// Read sets m to the next message: a MsgApp, or a link heartbeat. Its errors, and what may be kept of
// m, are those of MessageReader.Read. Stricter than etcd, it takes entries of a short frame for
// corrupt that don't follow the state, and a complete frame that isn't a MsgApp: no member sends such.
//
// As long as the state is unknown, after Join, a short frame without entries gives a message whose
// Term, LogTerm and Index are 0. Each entry allocates its data, and each frame its list of entries.
func (r *AppendReader) Read(m *raftpb.Message) error {
	s := &r.src
	if err := s.begin(); err != nil {
		return err
	}
	if err := s.read(s.number[:1]); err != nil {
		return err
	}
	switch t := s.number[0]; t {
	case frameHeartbeat:
		*m = LinkHeartbeat()
		return nil
	case frameShort:
		return r.short(m)
	case frameComplete:
		return r.complete(m)
	default:
		return s.corrupt(s.frame, fmt.Errorf("frame type %d, want 0, 1 or 2", t))
	}
}

func (r *AppendReader) short(m *raftpb.Message) error {
	entries, err := r.entries()
	if err != nil {
		return err
	}
	commit, err := r.src.uint64()
	if err != nil {
		return err
	}
	*m = raftpb.Message{
		Type: raftpb.MsgApp, From: r.link.From, To: r.link.To, Entries: entries, Commit: commit,
	}
	if n := len(entries); n > 0 && !r.known {
		// Entries of a short frame are of the leader's term, so the first one tells the state.
		r.Seed(raftpb.EntryID{Term: entries[0].Term, Index: entries[0].Index - 1})
	}
	if r.known {
		m.Term, m.LogTerm, m.Index = r.state.Term, r.state.Term, r.state.Index
		r.state.Index += uint64(len(entries))
	}
	return nil
}

// entries reads the count and the entries of a short frame. The list grows with what arrives.
func (r *AppendReader) entries() ([]raftpb.Entry, error) {
	s := &r.src
	count, err := s.bounded("entry count", MaxEntries)
	if err != nil || count == 0 {
		return nil, err
	}
	want, known := r.state, r.known
	list := make([]raftpb.Entry, 0, min(count, 1024))
	for range count {
		var e raftpb.Entry
		off, err := r.entry(&e)
		if err != nil {
			return nil, err
		}
		if !known {
			want, known = raftpb.EntryID{Term: e.Term, Index: e.Index - 1}, true
		}
		want.Index++
		if e.ID() != want {
			return nil, s.corrupt(off, orderError{got: e.ID(), want: want})
		}
		list = append(list, e)
	}
	return list, nil
}

// entry reads the length of an entry and the entry, and returns where the latter begins.
func (r *AppendReader) entry(e *raftpb.Entry) (off int64, err error) {
	s := &r.src
	used := uint64(s.off - s.frame)
	if used > MaxMessage { // the entries before it took all that a frame may have
		return 0, s.corrupt(s.frame, limitError{"frame length", used, MaxMessage})
	}
	n, err := s.bounded("entry length", MaxMessage-used)
	if err != nil {
		return 0, err
	}
	off = s.off
	b, err := s.bytes(n)
	if err != nil {
		return 0, err
	}
	if err := e.Unmarshal(b); err != nil {
		return 0, s.undecodable(n, err)
	}
	return off, nil
}

func (r *AppendReader) complete(m *raftpb.Message) error {
	s := &r.src
	if err := s.message(m, MaxMessage); err != nil {
		return err
	}
	if m.Type != raftpb.MsgApp {
		return s.corrupt(s.frame, typeError{got: m.Type, want: raftpb.MsgApp})
	}
	r.Seed(after(m))
	return nil
}

// after returns the state that a complete frame with m leaves behind.
func after(m *raftpb.Message) raftpb.EntryID {
	id := raftpb.EntryID{Term: m.Term, Index: m.Index}
	if n := len(m.Entries); n > 0 {
		id.Index = m.Entries[n-1].Index
	}
	return id
}

// Offset returns how many bytes were read: after a message, where the next frame begins.
func (r *AppendReader) Offset() int64 { return r.src.off }

// State returns the leader's term and the index of the last entry that went over the stream, to which
// short frames refer. At the beginning of a connection both are 0. It is not known from Join up to
// the first complete frame or the first short one with entries.
func (r *AppendReader) State() (id raftpb.EntryID, known bool) { return r.state, r.known }

// Seed sets the state, for a reader that begins elsewhere than the connection does.
func (r *AppendReader) Seed(id raftpb.EntryID) { r.state, r.known = id, true }

// Join makes the state unknown, for a reader that begins at a frame in the midst of a connection.
func (r *AppendReader) Join() { r.state, r.known = raftpb.EntryID{}, false }
