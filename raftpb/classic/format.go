package classic

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/raftctl/raftctl/raftpb/stream"
)

// The sizes of what is fixed, in bytes.
const (
	HeaderSize = 8

	requestVoteSize           = 16
	requestVoteResponseSize   = 5
	appendEntriesSize         = 28
	appendEntriesResponseSize = 21
	entrySize                 = 8
)

// MaxPayload bounds the payload of a message, in bytes. The protocol has no bound of its own; this is far above what
// a leader sends at a time.
const MaxPayload = 64 << 20

func header(b []byte, m Message) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(m.Type()))
	return binary.LittleEndian.AppendUint32(b, uint32(m.payloadSize()))
}

func numbers(b []byte, list ...int32) []byte {
	for _, n := range list {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	return b
}

func truth(b []byte, t bool) []byte {
	if t {
		return append(b, 1)
	}
	return append(b, 0)
}

func (*RequestVote) payloadSize() int           { return requestVoteSize }
func (*RequestVoteResponse) payloadSize() int   { return requestVoteResponseSize }
func (*AppendEntriesResponse) payloadSize() int { return appendEntriesResponseSize }

func (m *AppendEntries) payloadSize() int {
	n := appendEntriesSize
	for i := range m.Entries {
		n += entrySize + len(m.Entries[i].Data)
	}
	return n
}

// AppendTo implements Message.
func (m *RequestVote) AppendTo(b []byte) []byte {
	return numbers(header(b, m), m.Term, m.CandidateID, m.LastLogIndex, m.LastLogTerm)
}

// AppendTo implements Message.
func (m *RequestVoteResponse) AppendTo(b []byte) []byte {
	return truth(numbers(header(b, m), m.Term), m.VoteGranted)
}

// AppendTo implements Message.
func (m *AppendEntries) AppendTo(b []byte) []byte {
	b = numbers(header(b, m), m.Term, m.LeaderID, m.PrevLogIndex, m.PrevLogTerm, m.LeaderCommit, m.Seq)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(m.Entries)))
	for i := range m.Entries {
		b = numbers(b, m.Entries[i].Term)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(m.Entries[i].Data)))
		b = append(b, m.Entries[i].Data...)
	}
	return b
}

// AppendTo implements Message.
func (m *AppendEntriesResponse) AppendTo(b []byte) []byte {
	b = truth(numbers(header(b, m), m.Term, m.FollowerID, m.LogIndex), m.Success)
	return numbers(b, m.FollowerCommit, m.Ack)
}

// Parse reads the message at the beginning of b, and returns its size. If b ends within it, that is 0, and need is
// how long b has to be at least. The error is a *stream.CorruptError with an offset in b. The data of entries points
// into b.
func Parse(b []byte) (m Message, n, need int, err error) {
	if len(b) < HeaderSize {
		return nil, 0, HeaderSize, nil
	}
	m, size, err := parseHeader(b)
	if err != nil {
		return nil, 0, 0, err
	}
	n = HeaderSize + size
	if len(b) < n {
		return nil, 0, n, nil
	}
	f := &fields{b: b[:n:n], off: HeaderSize}
	if err := m.read(f); err != nil {
		return nil, 0, 0, err
	}
	if f.off != n {
		return nil, 0, 0, corrupt(f.off, "%d bytes behind the last field of %v, want none", n-f.off, m.Type())
	}
	return m, n, 0, nil
}

// parseHeader returns an empty message of the type that a header tells, and the size of its payload.
func parseHeader(b []byte) (m Message, size int, err error) {
	switch t := Type(binary.LittleEndian.Uint32(b)); t {
	case TypeRequestVote:
		m = new(RequestVote)
	case TypeRequestVoteResponse:
		m = new(RequestVoteResponse)
	case TypeAppendEntries:
		m = new(AppendEntries)
	case TypeAppendEntriesResponse:
		m = new(AppendEntriesResponse)
	default:
		return nil, 0, corrupt(0, "type %d, want 1 to 4", uint32(t))
	}
	got, least := binary.LittleEndian.Uint32(b[4:]), m.payloadSize()
	switch {
	case m.Type() != TypeAppendEntries && got != uint32(least):
		return nil, 0, corrupt(4, "payload size %d of %v, want %d", got, m.Type(), least)
	case got < uint32(least) || got > MaxPayload:
		return nil, 0, corrupt(4, "payload size %d of %v, want %d to %d", got, m.Type(), least, MaxPayload)
	}
	return m, int(got), nil
}

func corrupt(off int, format string, args ...any) error {
	return &stream.CorruptError{Off: int64(off), Err: fmt.Errorf(format, args...)}
}

// fields reads one field after the other. Invariant: what is fixed fits, by the size in the header.
type fields struct {
	b   []byte
	off int
}

func (f *fields) uint32() uint32 {
	f.off += 4
	return binary.LittleEndian.Uint32(f.b[f.off-4:])
}

func (f *fields) numbers(list ...*int32) {
	for _, n := range list {
		*n = int32(f.uint32())
	}
}

func (f *fields) truth(name string, t *bool) error {
	n := f.b[f.off]
	if n > 1 {
		return corrupt(f.off, "%s %d, want 0 or 1", name, n)
	}
	*t = n == 1
	f.off++
	return nil
}

func (m *RequestVote) read(f *fields) error {
	f.numbers(&m.Term, &m.CandidateID, &m.LastLogIndex, &m.LastLogTerm)
	return nil
}

func (m *RequestVoteResponse) read(f *fields) error {
	f.numbers(&m.Term)
	return f.truth("vote_granted", &m.VoteGranted)
}

func (m *AppendEntriesResponse) read(f *fields) error {
	f.numbers(&m.Term, &m.FollowerID, &m.LogIndex)
	if err := f.truth("success", &m.Success); err != nil {
		return err
	}
	f.numbers(&m.FollowerCommit, &m.Ack)
	return nil
}

func (m *AppendEntries) read(f *fields) error {
	f.numbers(&m.Term, &m.LeaderID, &m.PrevLogIndex, &m.PrevLogTerm, &m.LeaderCommit, &m.Seq)
	at := f.off
	count := f.uint32()
	if most := uint32((len(f.b) - f.off) / entrySize); count > most {
		return corrupt(at, "entry count %d, want at most %d in %d bytes", count, most, len(f.b)-f.off)
	}
	if count > 0 {
		m.Entries = make([]Entry, count)
	}
	for i := range m.Entries {
		if err := m.Entries[i].read(f); err != nil {
			return err
		}
	}
	return nil
}

func (e *Entry) read(f *fields) error {
	if len(f.b)-f.off < entrySize {
		return corrupt(f.off, "%d bytes are left for an entry, want %d or more", len(f.b)-f.off, entrySize)
	}
	f.numbers(&e.Term)
	at := f.off
	size := f.uint32()
	if left := len(f.b) - f.off; size > uint32(left) {
		return corrupt(at, "entry length %d, want at most %d", size, left)
	}
	e.Data = f.b[f.off : f.off+int(size) : f.off+int(size)]
	f.off += int(size)
	return nil
}

// Reader reads messages off a connection.
type Reader struct {
	r   io.Reader
	off int64
	err error
}

// NewReader returns a reader of r, from which it takes no byte beyond the message that it returns.
func NewReader(r io.Reader) *Reader { return &Reader{r: r} }

// Offset returns how many bytes were read: after a message, where the next one begins.
func (r *Reader) Offset() int64 { return r.off }

// Read returns the next message, which shares no memory with the reader. It returns io.EOF when the stream ends
// between two messages; after any other error, each call returns that error again.
func (r *Reader) Read() (Message, error) {
	if r.err != nil {
		return nil, r.err
	}
	m, err := r.message()
	if err != nil && err != io.EOF {
		r.err = err
	}
	return m, err
}

func (r *Reader) message() (Message, error) {
	const chunk = 1 << 20 // as much memory as a false size costs
	begin := r.off
	var b []byte
	for need := HeaderSize; ; {
		for len(b) < need {
			have := len(b)
			b = append(b, make([]byte, min(need-have, chunk))...)
			n, err := io.ReadFull(r.r, b[have:])
			r.off += int64(n)
			if err == io.EOF && r.off == begin {
				return nil, io.EOF
			}
			if err != nil {
				return nil, readError(begin, r.off, err)
			}
		}
		m, n, more, err := Parse(b)
		if bad, ok := err.(*stream.CorruptError); ok {
			bad.Off += begin
		}
		if err != nil || n > 0 {
			return m, err
		}
		need = more
	}
}

func readError(frame, off int64, err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = stream.ErrTorn
	}
	return &stream.ReadError{Frame: frame, Off: off, Err: err}
}
