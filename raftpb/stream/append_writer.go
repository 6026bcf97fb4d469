package stream

import (
	"encoding/binary"
	"io"

	"github.com/raftctl/raftctl/raftpb"
)

// AppendWriter writes an append stream.
type AppendWriter struct {
	out   sink
	link  Link
	state raftpb.EntryID
}

// NewAppendWriter returns a writer to w, a new connection, in the flavour f. Each message is one call
// of w.Write.
func NewAppendWriter(w io.Writer, link Link, f raftpb.Flavor) *AppendWriter {
	return &AppendWriter{out: sink{w: w, f: f}, link: link}
}

// Write writes m, a MsgApp or a link heartbeat, in the shortest frame that loses nothing of it. Any
// other message is refused, as is one above MaxMessage, and nothing of it written; after an error of
// the writer below each call returns that error again. It allocates nothing once its buffer has the
// size of the messages, up to 1 MiB.
func (w *AppendWriter) Write(m *raftpb.Message) error {
	if w.out.err != nil {
		return w.out.err
	}
	if IsLinkHeartbeat(m) {
		return w.out.flush(append(w.out.buf[:0], frameHeartbeat))
	}
	if m.Type != raftpb.MsgApp {
		return typeError{got: m.Type, want: raftpb.MsgApp}
	}
	encode := appendComplete
	if w.isShort(m) {
		encode = appendShort
	}
	b, err := encode(w.out.buf[:0], m, w.out.f)
	if err != nil {
		return err
	}
	w.state = after(m) // a short frame leaves behind the same, as its term is the state's
	return w.out.flush(b)
}

// State returns what the reader at the other end has for its state.
func (w *AppendWriter) State() raftpb.EntryID { return w.state }

// isShort says whether the state, the link and a list of entries tell all that m holds.
func (w *AppendWriter) isShort(m *raftpb.Message) bool {
	at := raftpb.EntryID{Term: m.LogTerm, Index: m.Index}
	if at != w.state || m.LogTerm != m.Term || (Link{From: m.From, To: m.To}) != w.link {
		return false
	}
	if len(m.Entries) > MaxEntries || m.Vote != 0 || m.Reject || m.RejectHint != 0 ||
		m.Context != nil || m.Snapshot != nil || m.Responses != nil {
		return false
	}
	for i := range m.Entries {
		if at.Index++; m.Entries[i].ID() != at {
			return false
		}
	}
	return true
}

func appendComplete(b []byte, m *raftpb.Message, f raftpb.Flavor) ([]byte, error) {
	return appendMessage(append(b, frameComplete), m, f, MaxMessage)
}

func appendShort(b []byte, m *raftpb.Message, f raftpb.Flavor) ([]byte, error) {
	size := 9
	for i := range m.Entries {
		size += 8 + m.Entries[i].Size(f)
	}
	if size > MaxMessage {
		return nil, limitError{"frame length", uint64(size), MaxMessage}
	}
	b = binary.BigEndian.AppendUint64(append(b, frameShort), uint64(len(m.Entries)))
	for i := range m.Entries {
		e := &m.Entries[i]
		b = binary.BigEndian.AppendUint64(b, uint64(e.Size(f)))
		b = e.AppendTo(b, f)
	}
	return binary.BigEndian.AppendUint64(b, m.Commit), nil
}
