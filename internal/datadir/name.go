package datadir

import (
	"fmt"
	"strconv"
	"strings"
)

// SegmentSuffix is how the names of a log's segments end.
const SegmentSuffix = ".wal"

// spareSuffix is how the names of segments end that etcd prepared for later: 0.tmp and 1.tmp.
const spareSuffix = ".tmp"

// SegmentName returns the name of a segment's file, such as "0000000000000001-0000000000000021.wal".
func SegmentName(seq, index uint64, suffix string) string {
	return fmt.Sprintf("%016x-%016x%s", seq, index, suffix)
}

// ParseSegmentName parses the name of a segment's file, without directory. It accepts exactly what
// SegmentName returns.
func ParseSegmentName(base, suffix string) (seq, index uint64, ok bool) {
	const digits = 16
	base, ok = strings.CutSuffix(base, suffix)
	if !ok || len(base) != 2*digits+1 || base[digits] != '-' || base != strings.ToLower(base) {
		return 0, 0, false
	}
	seq, seqErr := strconv.ParseUint(base[:digits], 16, 64)
	index, indexErr := strconv.ParseUint(base[digits+1:], 16, 64)
	return seq, index, seqErr == nil && indexErr == nil
}

// isSegmentLike reports whether a file of this name is a segment, whatever it begins with, or what
// was kept of one.
func isSegmentLike(base, suffix string) bool {
	return strings.HasSuffix(base, suffix) || strings.Contains(base, suffix+".") ||
		base == "0"+spareSuffix || base == "1"+spareSuffix
}
