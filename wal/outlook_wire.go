package wal

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// etcdRelease is a family of etcd releases that read a log alike.
type etcdRelease uint8

const (
	etcd37 etcdRelease = iota // 3.7: protobuf by google, base snapshot taken from the log
	etcd36                    // 3.4 to 3.6: protobuf by gogo, base snapshot taken from .snap files
)

// String names the releases.
func (r etcdRelease) String() string {
	if r == etcd36 {
		return "3.4 to 3.6"
	}
	return "3.7"
}

// wireFault is a protobuf error in etcd's words. torn is set for the one error of gogo's that is
// io.ErrUnexpectedEOF itself, so that etcd up to 3.6 takes a cut field for a torn write.
type wireFault struct {
	text string
	torn bool
}

var (
	wireInvalid   = &wireFault{text: "proto: cannot parse invalid wire-format data"}
	wireTruncated = &wireFault{text: "unexpected EOF", torn: true}
)

// wireField is one field of a message as etcd's decoders see it.
type wireField struct {
	num  protowire.Number
	typ  protowire.Type
	v    uint64 // of a varint
	data []byte // of a length-delimited field
}

// wireSchema names a message's fields for the error texts of gogo, which refuses a known field of
// the wrong wire type; google's decoder takes such a field for an unknown one.
type wireSchema struct {
	message string
	fields  []wireKnown // by number, from 1
}

type wireKnown struct {
	name string
	typ  protowire.Type
}

var (
	recordSchema = wireSchema{"Record", []wireKnown{
		{"Type", protowire.VarintType}, {"Crc", protowire.VarintType}, {"Data", protowire.BytesType}}}
	entrySchema = wireSchema{"Entry", []wireKnown{
		{"Type", protowire.VarintType}, {"Term", protowire.VarintType},
		{"Index", protowire.VarintType}, {"Data", protowire.BytesType}}}
	stateSchema = wireSchema{"HardState", []wireKnown{
		{"Term", protowire.VarintType}, {"Vote", protowire.VarintType},
		{"Commit", protowire.VarintType}}}
	snapshotSchema = wireSchema{"Snapshot", []wireKnown{
		{"Index", protowire.VarintType}, {"Term", protowire.VarintType},
		{"ConfState", protowire.BytesType}}}
	metadataSchema = wireSchema{"Metadata", []wireKnown{
		{"NodeID", protowire.VarintType}, {"ClusterID", protowire.VarintType}}}
	confStateSchema = wireSchema{"ConfState", []wireKnown{
		{"Voters", anyRepeated}, {"Learners", anyRepeated}, {"VotersOutgoing", anyRepeated},
		{"LearnersNext", anyRepeated}, {"AutoLeave", protowire.VarintType}}}
)

// anyRepeated stands for a list of varints, packed or not.
const anyRepeated = protowire.Type(-1)

// each calls fn for every known field of b, in order, and returns what etcd would say if it can't
// decode b.
func (s *wireSchema) each(b []byte, rel etcdRelease, fn func(wireField) *wireFault) *wireFault {
	for len(b) > 0 {
		f, n, fault := s.next(b, rel)
		if fault != nil {
			return fault
		}
		b = b[n:]
		if f.num == 0 {
			continue
		}
		if fault := fn(f); fault != nil {
			return fault
		}
	}
	return nil
}

// next decodes one field. Its number is 0 if the schema doesn't know it.
func (s *wireSchema) next(b []byte, rel etcdRelease) (wireField, int, *wireFault) {
	tag, n := protowire.ConsumeVarint(b)
	if n < 0 {
		return wireField{}, 0, varintFault(n, rel)
	}
	f := wireField{num: protowire.Number(tag >> 3), typ: protowire.Type(tag & 7)}
	if fault := s.checkTag(tag, f, rel); fault != nil {
		return f, 0, fault
	}
	if !s.knows(f) {
		m, fault := f.skip(b, n, rel)
		return wireField{}, m, fault
	}
	m := f.consume(b[n:])
	if m < 0 {
		return f, 0, varintFault(m, rel)
	}
	return f, n + m, nil
}

func (s *wireSchema) checkTag(tag uint64, f wireField, rel etcdRelease) *wireFault {
	if rel == etcd37 {
		if num := tag >> 3; num < 1 || num > uint64(protowire.MaxValidNumber) {
			return wireInvalid
		}
		return nil
	}
	switch num := int32(tag >> 3); {
	case f.typ == protowire.EndGroupType:
		return &wireFault{text: "proto: " + s.message + ": wiretype end group for non-group"}
	case num <= 0:
		return &wireFault{text: fmt.Sprintf("proto: %s: illegal tag %d (wire type %d)",
			s.message, num, tag)}
	case int(num) <= len(s.fields) && !s.knows(f):
		return &wireFault{text: fmt.Sprintf("proto: wrong wireType = %d for field %s",
			f.typ, s.fields[num-1].name)}
	}
	return nil
}

func (s *wireSchema) knows(f wireField) bool {
	if f.num < 1 || int(f.num) > len(s.fields) {
		return false
	}
	want := s.fields[f.num-1].typ
	if want == anyRepeated {
		return f.typ == protowire.VarintType || f.typ == protowire.BytesType
	}
	return f.typ == want
}

// consume reads a known field's value and returns its length, negative if it is cut or malformed.
func (f *wireField) consume(b []byte) (n int) {
	if f.typ == protowire.VarintType {
		f.v, n = protowire.ConsumeVarint(b)
		return n
	}
	f.data, n = protowire.ConsumeBytes(b)
	return n
}

// skip returns the length of an unknown field, including its tag of n bytes.
func (f *wireField) skip(b []byte, n int, rel etcdRelease) (int, *wireFault) {
	if rel == etcd36 {
		return skipGogo(b)
	}
	m := protowire.ConsumeFieldValue(f.num, f.typ, b[n:])
	if m < 0 {
		return 0, wireInvalid
	}
	return n + m, nil
}

// skipGogo returns the length of the unknown field that b begins with, tag included.
func skipGogo(b []byte) (int, *wireFault) {
	depth := 0
	for off := 0; off < len(b); {
		tag, n := protowire.ConsumeVarint(b[off:])
		if n < 0 {
			return 0, varintFault(n, etcd36)
		}
		off += n
		m := 0
		switch typ := protowire.Type(tag & 7); typ {
		case protowire.StartGroupType:
			depth++
		case protowire.EndGroupType:
			if depth--; depth < 0 {
				return 0, &wireFault{text: "proto: unexpected end of group"}
			}
		case protowire.VarintType, protowire.BytesType, protowire.Fixed32Type, protowire.Fixed64Type:
			m = protowire.ConsumeFieldValue(1, typ, b[off:])
		default:
			return 0, &wireFault{text: fmt.Sprintf("proto: illegal wireType %d", typ)}
		}
		if m < 0 {
			return 0, varintFault(m, etcd36)
		}
		if off += m; depth == 0 {
			return off, nil
		}
	}
	return 0, wireTruncated
}

// varintFault translates protowire's error codes.
func varintFault(code int, rel etcdRelease) *wireFault {
	const cut, overflow = -1, -3
	switch {
	case rel == etcd37:
		return wireInvalid
	case code == overflow:
		return &wireFault{text: "proto: integer overflow"}
	case code == cut:
		return wireTruncated
	}
	return wireInvalid
}

// etcdRecord is a walpb.Record as etcd decodes it.
type etcdRecord struct {
	kind int64
	crc  uint32
	data []byte
}

func decodeEtcdRecord(b []byte, rel etcdRelease) (r etcdRecord, fault *wireFault) {
	fault = recordSchema.each(b, rel, func(f wireField) *wireFault {
		switch f.num {
		case 1:
			r.kind = int64(f.v)
		case 2:
			r.crc = uint32(f.v)
		case 3:
			r.data = f.data
		}
		return nil
	})
	return r, fault
}

// decodeEtcdScalars decodes a message of leading varint fields into out, as etcd does.
func decodeEtcdScalars(s *wireSchema, b []byte, rel etcdRelease, out ...*uint64) *wireFault {
	return s.each(b, rel, func(f wireField) *wireFault {
		switch {
		case int(f.num) <= len(out):
			*out[f.num-1] = f.v
		case s == &snapshotSchema && f.num == 3:
			return confStateSchema.each(f.data, rel, packedFault(rel))
		}
		return nil
	})
}

// packedFault checks the varints of a packed list.
func packedFault(rel etcdRelease) func(wireField) *wireFault {
	return func(f wireField) *wireFault {
		for b := f.data; f.typ == protowire.BytesType && len(b) > 0; {
			_, n := protowire.ConsumeVarint(b)
			if n < 0 {
				return varintFault(n, rel)
			}
			b = b[n:]
		}
		return nil
	}
}
