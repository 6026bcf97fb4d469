package wal

import (
	"encoding/binary"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/raftctl/raftctl/internal/wirefield"
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
	return wirefield.Each(b, func(f wirefield.Field) error {
		switch f.Num {
		case 1:
			m.NodeID = f.Uint
			return f.Want(protowire.VarintType)
		case 2:
			m.ClusterID = f.Uint
			return f.Want(protowire.VarintType)
		}
		return nil
	})
}
