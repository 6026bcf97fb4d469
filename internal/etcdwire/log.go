package etcdwire

import "google.golang.org/protobuf/encoding/protowire"

// What a log's records hold. A record itself is walpb's, the others are what is in its data.
var (
	record = Message{"Record", []Field{
		{Num: 1, Name: "Type"}, {Num: 2, Name: "Crc"},
		{Num: 3, Name: "Data", Type: protowire.BytesType}}}

	// Entry is raftpb.Entry.
	Entry = Message{"Entry", []Field{
		{Num: 1, Name: "Type"}, {Num: 2, Name: "Term"}, {Num: 3, Name: "Index"},
		{Num: 4, Name: "Data", Type: protowire.BytesType}}}
	// HardState is raftpb.HardState.
	HardState = Message{"HardState", []Field{
		{Num: 1, Name: "Term"}, {Num: 2, Name: "Vote"}, {Num: 3, Name: "Commit"}}}
	// Snapshot is walpb.Snapshot.
	Snapshot = Message{"Snapshot", []Field{
		{Num: 1, Name: "Index"}, {Num: 2, Name: "Term"},
		{Num: 3, Name: "ConfState", Type: protowire.BytesType, Sub: &confState}}}
	// Metadata is etcdserverpb.Metadata.
	Metadata = Message{"Metadata", []Field{{Num: 1, Name: "NodeID"}, {Num: 2, Name: "ClusterID"}}}

	confState = Message{"ConfState", []Field{
		{Num: 1, Name: "Voters", Type: Repeated}, {Num: 2, Name: "Learners", Type: Repeated},
		{Num: 3, Name: "VotersOutgoing", Type: Repeated},
		{Num: 4, Name: "LearnersNext", Type: Repeated}, {Num: 5, Name: "AutoLeave"}}}
)

// Record is a walpb.Record as etcd decodes it.
type Record struct {
	Kind int64
	CRC  uint32
	Data []byte // aliases what was decoded
}

// DecodeRecord decodes a record of a log.
func DecodeRecord(b []byte, d Decoder) (r Record, fault *Fault) {
	fault = record.Each(b, d, func(v Value) {
		switch v.Num {
		case 1:
			r.Kind = int64(v.N)
		case 2:
			r.CRC = uint32(v.N)
		case 3:
			r.Data = v.Data
		}
	})
	return r, fault
}

// Scalars decodes a message into out, which take the fields with the numbers from 1 on.
func (m *Message) Scalars(b []byte, d Decoder, out ...*uint64) *Fault {
	return m.Each(b, d, func(v Value) {
		if int(v.Num) <= len(out) {
			*out[v.Num-1] = v.N
		}
	})
}
