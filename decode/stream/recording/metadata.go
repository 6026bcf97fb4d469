package recording

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/raftctl/raftctl/internal/wirefield"
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
)

// The fields of a member in it.
const (
	fieldID protowire.Number = iota + 1
	fieldName
)

// Metadata says whose messages a recording holds. It stands at the head of each segment.
type Metadata struct {
	// Recorder is the member that recorded what it sent and received; 0 if it was no member, but who listened
	// between them.
	Recorder uint64
	Cluster  uint64    // 0 if it is not known
	Start    time.Time // of the recording
	Members  []Member  // those that were known then
}

// Member names a member of the cluster.
type Member struct {
	ID   uint64
	Name string
}

func (m *Metadata) appendTo(b []byte) []byte {
	b = appendText(b, fieldMagic, magic)
	b = appendUint(b, fieldVersion, Version)
	b = appendFixed(b, fieldRecorder, m.Recorder)
	b = appendFixed(b, fieldClusterID, m.Cluster)
	b = appendFixed(b, fieldStart, nanos(m.Start))
	for _, o := range m.Members {
		b = protowire.AppendTag(b, fieldMember, protowire.BytesType)
		b = protowire.AppendBytes(b, appendText(appendFixed(nil, fieldID, o.ID), fieldName, o.Name))
	}
	return b
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
	}
	return nil
}

func (o *Member) field(f wirefield.Field) error {
	switch f.Num {
	case fieldID:
		return fixed(f, &o.ID)
	case fieldName:
		return text(f, &o.Name)
	}
	return nil
}
