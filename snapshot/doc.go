// Package snapshot reads the snapshot files that etcd 3.4 to 3.7 keeps in member/snap, beside the
// log. It only reads.
//
// # File names
//
//	<term>-<index>.snap   16 lower-case hex digits each: the last entry that the snapshot includes
//	<index>.snap.db       16 lower-case hex digits: a database that a leader sent, not yet in place
//
// The newest snapshot is the one of the highest term, then of the highest index; etcd finds it by
// sorting names backwards.
//
// # A .snap file
//
// A .snap file is one protobuf message (proto2):
//
//	field  type    name  meaning
//	1      uint32  crc   CRC-32C (Castagnoli) of data, seed 0
//	2      bytes   data  a raftpb.Snapshot: the v2 store as JSON, and the metadata
//
// so that in the bytes that etcd writes
//
//	+----+-----+----+--------+------------------+
//	| 08 | crc | 12 | length | raftpb.Snapshot  |
//	+----+-----+----+--------+------------------+
//	       varint      varint   to the end of the file
//
// The checksum covers data only; a change to any other byte shows as a broken structure or a
// checksum that doesn't match. etcd takes a file without data, or with a checksum of 0, for an
// empty snapshot and refuses it, so [Parse] does too. There is no torn state: the file is written
// and synced before the log mentions it, so an incomplete one is simply corrupt.
//
// The index and term in the file's name are not protected by the checksum; [Read] compares them
// with those inside.
package snapshot
