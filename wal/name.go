package wal

import (
	"fmt"
	"strings"

	"github.com/raftctl/raftctl/internal/datadir"
)

const segmentSuffix = datadir.SegmentSuffix

// SegmentName is what the name of a segment says: its place in the sequence of segments, and the
// index that the first entry in it is expected to have.
type SegmentName struct {
	Seq   uint64 // 0 for the first segment of a log
	Index uint64 // one above the last entry or snapshot that was saved before the segment was begun
}

// String returns the file name in a log of etcd, such as "0000000000000001-0000000000000021.wal".
func (n SegmentName) String() string { return Etcd.FileName(n) }

// ParseSegmentName parses a file name of a log of etcd, without directory. It accepts exactly what
// String returns.
func ParseSegmentName(name string) (SegmentName, bool) { return Etcd.ParseFileName(name) }

// FileName returns the name of a segment's file.
func (d *Dialect) FileName(n SegmentName) string {
	return datadir.SegmentName(n.Seq, n.Index, d.suffix)
}

// readFileName parses the name of a segment as etcd reads it, which is more than it writes: any two
// numbers in hex with a hyphen between them. Other dialects have no such names.
func (d *Dialect) readFileName(base string) (SegmentName, bool) {
	if n, ok := d.ParseFileName(base); ok || d != Etcd || !strings.HasSuffix(base, d.suffix) {
		return n, ok
	}
	var n SegmentName
	_, err := fmt.Sscanf(base, "%016x-%016x"+d.suffix, &n.Seq, &n.Index)
	return n, err == nil
}

// ParseFileName parses the name of a segment's file, without directory. It accepts exactly what
// FileName returns.
func (d *Dialect) ParseFileName(base string) (SegmentName, bool) {
	seq, index, ok := datadir.ParseSegmentName(base, d.suffix)
	if !ok {
		return SegmentName{}, false
	}
	return SegmentName{Seq: seq, Index: index}, true
}
