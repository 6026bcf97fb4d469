package wal

import (
	"fmt"
	"slices"
	"strings"
)

// etcdName is the name of a segment as etcd reads it.
type etcdName struct {
	SegmentName
	file string
	ord  int // the segment's place in the log; -1 for a file that we don't take for a segment
}

// etcdNames returns the segments that etcd finds, in its order: it sorts names as text, and takes
// each that a number, a hyphen, a number and .wal can be read from, whatever their length.
func (l *Log) etcdNames() (names []etcdName) {
	for i, seg := range l.segments {
		name := etcdName{seg.Name, seg.File, i}
		if parsed, ok := parseEtcdName(seg.File); ok {
			name.SegmentName = parsed
		}
		names = append(names, name)
	}
	for _, file := range l.ignored {
		if parsed, ok := parseEtcdName(file); ok {
			names = append(names, etcdName{parsed, file, -1})
		}
	}
	slices.SortFunc(names, func(a, b etcdName) int { return strings.Compare(a.file, b.file) })
	return names
}

func parseEtcdName(file string) (n SegmentName, ok bool) {
	if !strings.HasSuffix(file, segmentSuffix) {
		return n, false
	}
	_, err := fmt.Sscanf(file, "%016x-%016x.wal", &n.Seq, &n.Index)
	return n, err == nil
}
