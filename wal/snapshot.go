package wal

import (
	"encoding/binary"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/raftctl/raftctl/internal/wirefield"
	"github.com/raftctl/raftctl/raftpb"
)

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
	return wirefield.Each(b, func(f wirefield.Field) error {
		switch f.Num {
		case 1:
			s.Index = f.Uint
			return f.Want(protowire.VarintType)
		case 2:
			s.Term = f.Uint
			return f.Want(protowire.VarintType)
		case 3:
			if err := f.Want(protowire.BytesType); err != nil {
				return err
			}
			s.ConfState = new(raftpb.ConfState)
			return s.ConfState.Unmarshal(f.Bytes)
		}
		return nil
	})
}
