package database

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Revision says where in the history of a store a change stands: Main counts transactions, Sub the
// changes within one.
type Revision struct{ Main, Sub int64 }

// Compare returns -1, 0 or 1 as r is less than, equal to or greater than s.
func (r Revision) Compare(s Revision) int {
	switch {
	case r == s:
		return 0
	case r.Main < s.Main || r.Main == s.Main && r.Sub < s.Sub:
		return -1
	}
	return 1
}

// String returns the revision as etcd prints it: 7/0.
func (r Revision) String() string { return fmt.Sprintf("%d/%d", r.Main, r.Sub) }

// The layout of a key of bucket "key": a revision, and a mark where it is that of a deletion.
const (
	revisionSize  = 17 // main, big endian; '_'; sub, big endian
	tombstoneSize = revisionSize + 1
	revisionSep   = '_'
	tombstoneMark = 't'
)

// ParseRevision reads a key of bucket "key".
func ParseRevision(b []byte) (r Revision, tombstone bool, err error) {
	switch {
	case len(b) != revisionSize && len(b) != tombstoneSize:
		return r, false, fmt.Errorf("%d bytes, want a revision of %d or %d", len(b), revisionSize, tombstoneSize)
	case b[8] != revisionSep:
		return r, false, fmt.Errorf("%q between main and sub revision, want %q", b[8], revisionSep)
	case len(b) == tombstoneSize && b[revisionSize] != tombstoneMark:
		return r, false, fmt.Errorf("mark %q behind the revision, want %q", b[revisionSize], tombstoneMark)
	}
	main, sub := binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[9:])
	if main > math.MaxInt64 || sub > math.MaxInt64 {
		return r, false, fmt.Errorf("revision %d/%d, want at most %d", main, sub, int64(math.MaxInt64))
	}
	return Revision{int64(main), int64(sub)}, len(b) == tombstoneSize, nil
}

// AppendRevision appends the key under which bucket "key" holds a revision.
func AppendRevision(dst []byte, r Revision) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(r.Main))
	return binary.BigEndian.AppendUint64(append(dst, revisionSep), uint64(r.Sub))
}
