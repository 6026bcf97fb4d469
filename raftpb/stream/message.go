package stream

import (
	"io"

	"github.com/raftctl/raftctl/raftpb"
)

// LinkHeartbeat returns the message that says no more than that a stream is alive.
func LinkHeartbeat() raftpb.Message { return raftpb.Message{Type: raftpb.MsgHeartbeat} }

// IsLinkHeartbeat says whether m is a link heartbeat: a MsgHeartbeat from nobody to nobody. It is no
// part of Raft's conversation and must not be given to Raft.
func IsLinkHeartbeat(m *raftpb.Message) bool {
	return m.Type == raftpb.MsgHeartbeat && m.From == 0 && m.To == 0
}

// MessageReader reads a general message stream.
type MessageReader struct{ src source }

// NewMessageReader returns a reader of the stream r, from which it takes no byte beyond the frame
// that it returns. Where a small read is dear, r should be buffered; an HTTP body is.
func NewMessageReader(r io.Reader) *MessageReader { return &MessageReader{source{r: r}} }

// Read sets m to the next message, link heartbeats included. It returns io.EOF when the stream ends
// between two frames, a *ReadError when it ends elsewhere or can't be read, and a *CorruptError when
// its bytes are wrong. After an error other than io.EOF m is undefined, and each call returns that
// error again.
//
// What m holds may be kept: it shares no memory with the reader or with what m held before. A
// message without entries, snapshot, context and responses allocates nothing.
func (r *MessageReader) Read(m *raftpb.Message) error {
	if err := r.src.begin(); err != nil {
		return err
	}
	return r.src.message(m, MaxMessage)
}

// Offset returns how many bytes were read: after a message, where the next frame begins.
func (r *MessageReader) Offset() int64 { return r.src.off }

// MessageWriter writes a general message stream.
type MessageWriter struct{ out sink }

// NewMessageWriter returns a writer to w in the flavour f. Each message is one call of w.Write.
func NewMessageWriter(w io.Writer, f raftpb.Flavor) *MessageWriter {
	return &MessageWriter{sink{w: w, f: f}}
}

// Write writes m, which may be a link heartbeat. A message above MaxMessage is refused and nothing
// of it written; after an error of the writer below each call returns that error again. It allocates
// nothing once its buffer has the size of the messages, up to 1 MiB.
func (w *MessageWriter) Write(m *raftpb.Message) error {
	if w.out.err != nil {
		return w.out.err
	}
	b, err := appendMessage(w.out.buf[:0], m, w.out.f, MaxMessage)
	if err != nil {
		return err
	}
	return w.out.flush(b)
}
