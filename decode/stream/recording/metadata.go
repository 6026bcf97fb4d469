package recording

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/raftctl/raftctl/internal/wirefield"
	"github.com/raftctl/raftctl/raftpb"
)

// Version is the version of the format.
const Version = 1

// magic is what the metadata of a recording begins with: no other log's does.
const magic = "raft messages"

// The fields of the metadata.
const (
	fieldMagic protowire.Number = iota + 1
	fieldVersion
	fieldRecorder
	fieldClusterID
	fieldStart
	fieldMember
	fieldMembersAt
)

// The fields of a member in it.
const (
	fieldID protowire.Number = iota + 1
	fieldName
	fieldLearner
)

// Metadata says whose messages a recording holds. It stands at the head of each segment.
type Metadata struct {
	// Recorder is the member that recorded what it sent and received; 0 if it was no member, but who listened
	// between them.
	Recorder uint64
	Cluster  uint64    // 0 if it is not known
	Start    time.Time // of the recording
	Members  []Member  // those that were known then
	// MembersAt is the index of the entry after which Members are the membership in full. 0: that is not known, and Members
	// tell names only.
	MembersAt uint64
}

// Member names a member of the cluster.
type Member struct {
	ID      uint64
	Name    string
	Learner bool
}

// ConfState returns the membership after the entry at an index; ok is false where the recording doesn't tell it.
func (m *Metadata) ConfState() (cs raftpb.ConfState, at uint64, ok bool) {
	for _, o := range m.Members {
		if o.Learner {
			cs.Learners = append(cs.Learners, o.ID)
		} else {
			cs.Voters = append(cs.Voters, o.ID)
		}
	}
	return cs, m.MembersAt, m.MembersAt > 0 && len(cs.Voters) > 0
}

func (m *Metadata) appendTo(b []byte) []byte {
	b = appendText(b, fieldMagic, magic)
	b = appendUint(b, fieldVersion, Version)
	b = appendFixed(b, fieldRecorder, m.Recorder)
	b = appendFixed(b, fieldClusterID, m.Cluster)
	b = appendFixed(b, fieldStart, nanos(m.Start))
	for _, o := range m.Members {
		b = protowire.AppendTag(b, fieldMember, protowire.BytesType)
		b = protowire.AppendBytes(b, o.appendTo(nil))
	}
	return appendUint(b, fieldMembersAt, m.MembersAt)
}

func (o *Member) appendTo(b []byte) []byte {
	b = appendText(appendFixed(b, fieldID, o.ID), fieldName, o.Name)
	return appendUint(b, fieldLearner, protowire.EncodeBool(o.Learner))
}

var errNoRecording = errors.New("metadata is not that of a recording")

// unmarshal sets m to the metadata that b encodes. Fields of later versions are skipped.
func (m *Metadata) unmarshal(b []byte) error {
	if !bytes.HasPrefix(b, appendText(nil, fieldMagic, magic)) {
		return errNoRecording
	}
	*m = Metadata{}
	return wirefield.Each(b, m.field)
}

func (m *Metadata) field(f wirefield.Field) error {
	switch f.Num {
	case fieldVersion:
		if f.Uint != Version {
			return fmt.Errorf("version %d, want %d", f.Uint, Version)
		}
	case fieldRecorder:
		return fixed(f, &m.Recorder)
	case fieldClusterID:
		return fixed(f, &m.Cluster)
	case fieldStart:
		var ns uint64
		if err := fixed(f, &ns); err != nil {
			return err
		}
		m.Start = time.Unix(0, int64(ns)).UTC()
	case fieldMember:
		if err := f.Want(protowire.BytesType); err != nil {
			return err
		}
		m.Members = append(m.Members, Member{})
		return wirefield.Each(f.Bytes, m.Members[len(m.Members)-1].field)
	case fieldMembersAt:
		m.MembersAt = f.Uint
		return f.Want(protowire.VarintType)
	}
	return nil
}

func (o *Member) field(f wirefield.Field) error {
	switch f.Num {
	case fieldID:
		return fixed(f, &o.ID)
	case fieldName:
		return text(f, &o.Name)
	case fieldLearner:
		o.Learner = f.Uint != 0
		return f.Want(protowire.VarintType)
	}
	return nil
}
