package database

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// KeyValue is a key at one of its revisions.
type KeyValue struct {
	Key   []byte
	Value []byte

	CreateRevision int64 // the main revision at which the key came into being
	ModRevision    int64 // the main revision of this value
	Version        int64 // how often the key was written since then, this time included
	Lease          int64 // to which the key is attached; 0 for none
}

// The fields of etcd's mvccpb.KeyValue.
const (
	kvKey protowire.Number = iota + 1
	kvCreate
	kvMod
	kvVersion
	kvValue
	kvLease
)

// Unmarshal reads a KeyValue as etcd stores it. Key and Value alias b. A field that is not there is
// zero, one that etcd doesn't have is passed over.
func (kv *KeyValue) Unmarshal(b []byte) error {
	*kv = KeyValue{}
	for off := 0; off < len(b); {
		num, typ, n := protowire.ConsumeTag(b[off:])
		if n < 0 {
			return fmt.Errorf("offset %d: %w", off, protowire.ParseError(n))
		}
		m, err := kv.field(num, typ, b[off+n:])
		if err != nil {
			return fmt.Errorf("offset %d: field %d: %w", off, num, err)
		}
		off += n + m
	}
	return nil
}

var errWireType = errors.New("another wire type than etcd writes")

// field reads the value of a field, which b begins with, and returns its length.
func (kv *KeyValue) field(num protowire.Number, typ protowire.Type, b []byte) (n int, err error) {
	switch num {
	case kvKey, kvValue:
		if typ != protowire.BytesType {
			return 0, errWireType
		}
		v, n := protowire.ConsumeBytes(b)
		if n < 0 {
			return 0, protowire.ParseError(n)
		}
		if num == kvKey {
			kv.Key = v
		} else {
			kv.Value = v
		}
		return n, nil
	case kvCreate, kvMod, kvVersion, kvLease:
		if typ != protowire.VarintType {
			return 0, errWireType
		}
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return 0, protowire.ParseError(n)
		}
		*[...]*int64{&kv.CreateRevision, &kv.ModRevision, &kv.Version, nil, &kv.Lease}[num-kvCreate] = int64(v)
		return n, nil
	}
	if n = protowire.ConsumeFieldValue(num, typ, b); n < 0 {
		return 0, protowire.ParseError(n)
	}
	return n, nil
}

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
