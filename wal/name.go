package wal

import (
	"fmt"
	"strconv"
	"strings"
)

const segmentSuffix = ".wal"

// SegmentName is what the name of a segment says: its place in the sequence of segments, and the
// index that the first entry in it is expected to have.
type SegmentName struct {
	Seq   uint64 // 0 for the first segment of a log
	Index uint64 // one above the last entry or snapshot that was saved before the segment was begun
}

// String returns the file name, such as "0000000000000001-0000000000000021.wal".
func (n SegmentName) String() string {
	return fmt.Sprintf("%016x-%016x%s", n.Seq, n.Index, segmentSuffix)
}

// ParseSegmentName parses a file name without directory. It accepts exactly what String returns.
func ParseSegmentName(name string) (SegmentName, bool) {
	const digits = 16
	base, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok || len(base) != 2*digits+1 || base[digits] != '-' || base != strings.ToLower(base) {
		return SegmentName{}, false
	}
	seq, seqErr := strconv.ParseUint(base[:digits], 16, 64)
	index, indexErr := strconv.ParseUint(base[digits+1:], 16, 64)
	return SegmentName{Seq: seq, Index: index}, seqErr == nil && indexErr == nil
}
