package database

import (
	"errors"
	"fmt"

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
