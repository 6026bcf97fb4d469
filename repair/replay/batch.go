package replay

import "github.com/raftctl/raftctl/raftpb"

// A batch is full with that many entries, or bytes of their data.
const (
	batchEntries = 64
	batchBytes   = 1 << 20
)

// batch is a row of entries that are applied in one call, which costs less than one call each.
type batch struct {
	entries []raftpb.Entry
	data    []byte // theirs
}

// add adds an entry, whose data is copied: the reader uses its buffer again.
func (b *batch) add(e *raftpb.Entry) {
	own := *e
	if len(e.Data) > 0 {
		at := len(b.data)
		b.data = append(b.data, e.Data...)
		own.Data = b.data[at:len(b.data):len(b.data)] // stays where it is, though b.data may move on
	}
	b.entries = append(b.entries, own)
}

func (b *batch) full() bool { return len(b.entries) >= batchEntries || len(b.data) >= batchBytes }

func (b *batch) clear() { b.entries, b.data = b.entries[:0], b.data[:0] }
