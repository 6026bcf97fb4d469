// Package raftpb holds the types that a Raft log and a Raft conversation are made of, and their
// wire form: protobuf (proto2) as etcd 3.4 to 3.7 writes it, byte for byte. The file raft.proto
// beside this one says the same for other languages.
//
// The types are plain structs with value fields. The zero value of a field means "absent": Raft
// gives no field a meaning for "present and zero" that differs from absent. There are two
// exceptions. Message.Snapshot is a pointer, nil when absent, because a snapshot is large and rare.
// And a byte field may be present and empty, which is written as a length of 0: nil is absent.
//
// # The wire form
//
// A message is a sequence of fields. Each begins with a tag, a varint of the field's number times
// eight plus its wire type: 0 for a varint, 2 for a length and that many bytes. A varint has seven
// bits a byte, the lowest first, and bit 7 set in all bytes but the last. Fields are written in
// the order of their numbers, lists with one field an element. The layout of each type is drawn
// above its Size method. There is no checksum and no length of the whole: the container that a
// message lies in has both.
//
// This is a MsgApp from member 1 to member 2 that carries one entry, as etcd 3.6 writes it:
//
//	08 03                               type       MsgApp
//	10 02                               to         2
//	18 01                               from       1
//	20 03                               term       3
//	28 03                               logTerm    3
//	30 06                               index      6
//	3a 0b                               entries    11 bytes:
//	      08 00                           Type     EntryNormal
//	      10 03                           Term     3
//	      18 07                           Index    7
//	      22 03 66 6f 6f                  Data     "foo"
//	40 06                               commit     6
//	50 00                               reject     false
//	58 00                               rejectHint 0
//	68 00                               vote       0
//
// # Two flavours
//
// etcd 3.4 to 3.6 encode with gogo/protobuf, which writes every scalar field, zero or not. etcd 3.7
// encodes with google.golang.org/protobuf, which writes a field when it was set. Every etcd decodes
// both, and a log that went through an upgrade holds both. See [Flavor] and [DetectFlavor].
//
// Whoever appends to a log keeps its flavour. Who begins one should take FlavorGogo, the zero
// value: with every field there, nothing hangs on what a reader takes an absent one for, whereas
// the code of etcd 3.7, whose structs tell absent from zero, refuses some records that lack a
// field.
//
// Some of what etcd 3.7 writes can't be had from these structs, because it sets a field to zero, or
// leaves it out, in one place and not in another:
//
//   - the empty entry that takes the place of a refused membership change has an explicit type 0;
//   - the ConfState that etcdutl 3.7 restores a snapshot with has no auto_leave;
//   - messages have explicit zeros here and there, such as the index of a MsgAppResp.
//
// They decode like the rest. A program that rewrites a log should therefore copy the bytes of a
// record rather than decode and encode them; fields that this package doesn't know survive so, too.
//
// # Decoding
//
// Unmarshal copies byte fields out of its input. UnmarshalAlias lets them point into it: it
// allocates nothing for an Entry, and the result is valid only as long as the input is. Both
// replace what the value held before.
//
// UnmarshalReuse, and AppendTo into a buffer that is used again, allocate nothing for a message either.
// Where the bytes of entries are copied into new memory, that is most of the time it takes.
//
// Either flavour is accepted, fields in any order, absent fields, lists packed or unpacked. Of a
// scalar or byte field that comes more than once the last one counts; a message field that comes
// more than once is merged, and a list appended to. Fields of unknown numbers are skipped, groups
// included. Enum numbers that raft.proto doesn't name are kept.
//
// Errors are of type [*DecodeError] and wrap [io.ErrUnexpectedEOF] when bytes are missing. A length
// is checked against the bytes that remain before anything is allocated for it. In two cases this
// package refuses what the reference, go.etcd.io/raft/v3 3.7, accepts:
//
//   - A known field of the wrong wire type. The reference takes it for an unknown field, so that a
//     damaged tag makes a term or an index zero in silence; etcd 3.4 to 3.6 refuse it, as we do.
//   - Responses of a message that nest more than 16 deep, where the reference allows 10000. Raft
//     nests one level. The bound keeps hostile input from using up the stack.
//
// Decoding n bytes allocates at most 256*n bytes. That much takes a list of empty responses, two
// bytes each; entries take less than a quarter of it. Who reads from a network bounds n.
package raftpb
