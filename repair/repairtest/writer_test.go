package repairtest

import (
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// writer makes the bytes of a log's segments in memory, as etcd writes them.
type writer struct {
	metadata []byte
	names    []wal.SegmentName
	segs     [][]byte
	sum      uint32
	state    []byte // the last hard state; nil if there was none
	last     uint64 // the last entry or snapshot
}

func newWriter(metadata []byte) *writer {
	w := &writer{metadata: metadata}
	w.cut()
	w.add(wal.KindSnapshot, new(wal.Snapshot).AppendTo(nil, raftpb.FlavorGogo))
	return w
}

// cut begins a new segment.
func (w *writer) cut() {
	name := wal.SegmentName{Seq: uint64(len(w.segs))}
	if name.Seq > 0 {
		name.Index = w.last + 1
	}
	w.names = append(w.names, name)
	w.segs = append(w.segs, nil)
	w.add(wal.KindCRC, nil)
	w.add(wal.KindMetadata, w.metadata)
	if w.state != nil {
		w.add(wal.KindState, w.state)
	}
}

// size returns the size of the segment that is written to.
func (w *writer) size() int { return len(w.segs[len(w.segs)-1]) }

func (w *writer) add(k wal.Kind, data []byte) {
	w.sum = update(w.sum, data)
	if k == wal.KindState {
		w.state = data
	}
	tail := &w.segs[len(w.segs)-1]
	*tail = appendFrame(*tail, k, w.sum, data)
}

// segments returns what was written, but for the first ones; the last one has space behind its frames.
func (w *writer) segments(purged, space int) (list []*segment) {
	for i, b := range w.segs[purged:] {
		if purged+i == len(w.segs)-1 {
			b = append(b, make([]byte, space)...)
		}
		list = append(list, parseSegment(w.names[purged+i], b))
	}
	return list
}
