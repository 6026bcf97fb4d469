// Package raftpb holds the types that a Raft log and a Raft conversation are made of, and their
// wire form: protobuf (proto2) as etcd 3.4 to 3.7 writes it, byte for byte.
//
// The types are plain structs with value fields. The zero value of a field means "absent": Raft
// gives no field a meaning for "present and zero" that differs from absent. The one exception is
// Message.Snapshot, where nil is absent, because a snapshot is large and rare.
//
// # Two flavours
//
// etcd 3.4 to 3.6 encode with gogo/protobuf, which writes every scalar field, zero or not. etcd 3.7
// encodes with google.golang.org/protobuf, which writes a field only when it was set. A log that
// went through an upgrade holds both. See [Flavor].
//
// Decoding accepts either, fields in any order, absent fields, lists packed or unpacked, and skips
// fields that it does not know. A program that rewrites a log must therefore copy the bytes of a
// record rather than decode and encode them, so that unknown fields survive.
//
// # Copying and aliasing
//
// Unmarshal copies byte fields out of its input. UnmarshalAlias lets them point into it: it
// allocates nothing for an Entry, and the result is valid only as long as the input is.
package raftpb
