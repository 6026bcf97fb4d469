package wal

import (
	"encoding/binary"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/raftctl/raftctl/raftpb"
)

// Metadata says whose log it is. It is the data of a KindMetadata record, the same in every
// segment.
type Metadata struct {
	NodeID    uint64 // the member's ID
	ClusterID uint64
}

const (
	tagMetadataNodeID    = 1<<3 | byte(protowire.VarintType)
	tagMetadataClusterID = 2<<3 | byte(protowire.VarintType)
)

// The wire form of the metadata, the same in both flavours:
//
//	+----+--------+----+-----------+
//	| 08 | NodeID | 10 | ClusterID |
//	+----+--------+----+-----------+

// AppendTo appends the metadata's encoding to b.
func (m *Metadata) AppendTo(b []byte) []byte {
	b = binary.AppendUvarint(append(b, tagMetadataNodeID), m.NodeID)
	return binary.AppendUvarint(append(b, tagMetadataClusterID), m.ClusterID)
}

// Unmarshal sets *m to the metadata that b encodes. Unknown fields are skipped; the error tells the
// offset in b.
func (m *Metadata) Unmarshal(b []byte) error {
	*m = Metadata{}
	return eachField(b, func(f field) error {
		switch f.num {
		case 1:
			m.NodeID = f.value
			return f.want(protowire.VarintType)
		case 2:
			m.ClusterID = f.value
			return f.want(protowire.VarintType)
		}
		return nil
	})
}

// Snapshot says that the application's state was saved as of an index. It is the data of a
// KindSnapshot record. A log begins with one at index 0, which stands for the empty state.
type Snapshot struct {
	Index     uint64            // the last entry that the snapshot includes
	Term      uint64            // the term of that entry
	ConfState *raftpb.ConfState // the membership as of Index; nil in logs of etcd 3.4 and at index 0
}

const (
	tagSnapshotIndex     = 1<<3 | byte(protowire.VarintType)
	tagSnapshotTerm      = 2<<3 | byte(protowire.VarintType)
	tagSnapshotConfState = 3<<3 | byte(protowire.BytesType)
)

// ID returns the position of the last entry that the snapshot includes.
func (s *Snapshot) ID() raftpb.EntryID { return raftpb.EntryID{Term: s.Term, Index: s.Index} }

// The wire form of a snapshot record. Both flavours write index and term always; they differ in the
// ConfState.
//
//	+----+-------+----+------+----+-----+-----------+
//	| 08 | Index | 10 | Term | 1a | len | ConfState |
//	+----+-------+----+------+----+-----+-----------+

// AppendTo appends the snapshot's encoding to b.
func (s *Snapshot) AppendTo(b []byte, f raftpb.Flavor) []byte {
	b = binary.AppendUvarint(append(b, tagSnapshotIndex), s.Index)
	b = binary.AppendUvarint(append(b, tagSnapshotTerm), s.Term)
	if s.ConfState == nil {
		return b
	}
	b = binary.AppendUvarint(append(b, tagSnapshotConfState), uint64(s.ConfState.Size(f)))
	return s.ConfState.AppendTo(b, f)
}

// Unmarshal sets *s to the snapshot that b encodes. Unknown fields are skipped; the error tells the
// offset in b.
func (s *Snapshot) Unmarshal(b []byte) error {
	*s = Snapshot{}
	return eachField(b, func(f field) error {
		switch f.num {
		case 1:
			s.Index = f.value
			return f.want(protowire.VarintType)
		case 2:
			s.Term = f.value
			return f.want(protowire.VarintType)
		case 3:
			if err := f.want(protowire.BytesType); err != nil {
				return err
			}
			s.ConfState = new(raftpb.ConfState)
			return s.ConfState.Unmarshal(f.bytes)
		}
		return nil
	})
}

// field is one field of a message: value is set for varints, bytes for length-delimited fields.
type field struct {
	num   protowire.Number
	wire  protowire.Type
	value uint64
	bytes []byte
}

func (f field) want(t protowire.Type) error {
	if f.wire != t {
		return fmt.Errorf("field %d has wire type %d, want %d", f.num, f.wire, t)
	}
	return nil
}

// eachField calls visit for every field of the message b.
func eachField(b []byte, visit func(field) error) error {
	for off := 0; off < len(b); {
		f, n := consumeField(b[off:])
		if n < 0 {
			return fmt.Errorf("offset %d: %w", off, parseError(n))
		}
		if err := visit(f); err != nil {
			return fmt.Errorf("offset %d: %w", off, err)
		}
		off += n
	}
	return nil
}

// consumeField returns the first field of b and its size, which is negative if there is none.
func consumeField(b []byte) (f field, n int) {
	num, wire, n := protowire.ConsumeTag(b)
	if n < 0 {
		return field{}, n
	}
	f = field{num: num, wire: wire}
	m := 0
	switch wire {
	case protowire.VarintType:
		f.value, m = protowire.ConsumeVarint(b[n:])
	case protowire.BytesType:
		f.bytes, m = protowire.ConsumeBytes(b[n:])
	default:
		m = protowire.ConsumeFieldValue(num, wire, b[n:])
	}
	if m < 0 {
		return field{}, m
	}
	return f, n + m
}

func parseError(n int) error {
	err := protowire.ParseError(n)
	if err == io.ErrUnexpectedEOF {
		return fmt.Errorf("field is cut off: %w", err)
	}
	return err
}
