// Package wal reads and writes the write-ahead log of a Raft member in the format that etcd 3.4 to
// 3.7 keeps on disk, byte for byte.
//
// [Open] opens a log for reading: a data directory, a directory of segments, a single segment or an
// archive. [Log.Records] yields its records in the order of the bytes; where the bytes are damaged
// it yields what is damaged and goes on behind it. [Log.Follow] goes on while the log is written.
// Reading never changes anything, and takes no lock.
//
// # Files
//
// A log is a directory of segments, in etcd's data directory member/wal:
//
//	0000000000000000-0000000000000000.wal    a segment: sequence number and index, in hex
//	0000000000000001-00000000000003e8.wal    the next one, begun after entry or snapshot 0x3e7
//	0.tmp, 1.tmp                             a segment prepared for later; its content means nothing
//	*.wal.broken                             what etcd kept of a segment before it repaired it
//
// The index in a name is one above that of the last entry or snapshot saved before the segment was
// begun. Old segments are removed once a snapshot covers them, so that a log may begin with any
// sequence number; from there on none is missing.
//
// A segment ends after the write that brought it to [SegmentSize] bytes: a finished one is a little
// larger than that, and holds nothing but frames. The last one is allocated to that size ahead of
// time: its frames are followed by zeros.
//
// # Frames
//
// A segment is a sequence of frames. Each begins at a multiple of 8 and holds one record.
//
//	offset    size  field    meaning
//	0         7     size     bytes of the record, little endian
//	7         1     padding  0x80 | number of padding bytes; 0 if there are none
//	8         size  record
//	8+size    0..7  padding  zeros, up to a multiple of 8
//
// Together the first 8 bytes are a little-endian uint64. Its bits 59 to 62 are always 0. A frame
// header of 0 is where the frames end.
//
// etcd 2.x wrote no padding: the upper byte is 0 whatever the size, and the next frame begins where
// the record ends. Every later etcd reads such frames, and goes on behind them with padded ones at
// offsets that are no multiples of 8. So does this package.
//
// A record is a protobuf message. Writers encode it in one way only, fields 1 and 2 always and in
// this order, which is why a byte that differs is evidence:
//
//	offset  size   field        meaning
//	0       2      08 kind      what the data is, see Kind
//	2       2..6   10 crc       checksum, a varint
//	.       2..6   1a len       size of the data, a varint that reaches to the end of the record;
//	                            missing if there is no data, as in crc records
//	.       len    data         the message of its kind
//
// # Records
//
//	kind  name      data
//	1     metadata  Metadata: member and cluster ID, in every segment the same
//	2     entry     raftpb.Entry
//	3     state     raftpb.HardState
//	4     crc       none; its checksum is that of all records before the segment
//	5     snapshot  Snapshot: index, term and, from etcd 3.5 on, the ConfState
//
// Every segment begins with a crc record and metadata. The first one goes on with a snapshot at
// index 0, later ones with the hard state. After that, each write appends a snapshot that the
// leader sent, or entries and the hard state, if that has changed; a snapshot record alone says
// that the member saved its own state.
//
// An entry drops every entry before it with the same or a higher index: a new leader overwrote
// them. Indexes leave none out, except behind a snapshot that the leader sent.
//
// # Checksums
//
// The checksum is CRC-32C (Castagnoli). It begins at 0 with the first segment and runs on through
// all segments: that of a record covers the data of all records up to and including it, and nothing
// else. A crc record repeats it, so that a segment can be verified without those before it, but for
// the first checksum of a log whose first segments were removed: nothing can verify that.
//
// Type, tags, lengths, padding and the stored checksum itself are not covered. What tells that one
// of them is wrong is everything else in the frame and the frame after it; see the classes of
// [Class].
//
// # Ends
//
// A segment can end in three ways:
//
//   - cleanly: after a frame, the file ends, or in the last segment only zeros follow;
//   - torn, in the last segment only: the file ends within a frame, or a 512-byte sector of the
//     frame is all zeros, as when the machine went down while it was written, and nothing behind it
//     proves itself. Reading tells it as damage of [ClassTorn]. Where zeros follow, nothing that a
//     writer acknowledged is in it; where the file was cut short, that isn't known. The segment that
//     a running process holds ends where its last whole frame does;
//   - corrupt: anything else. A finished segment is never torn.
//
// # Damage
//
// Behind bytes that are no intact frame, reading goes on at the next frame that proves itself: one
// with the form above, whose data continues a known checksum, or whose own checksum is continued by
// the frame after it. In the second case it is known to have been written there, but nothing is
// left to check its data against: see [Record].Unchecked. Before that it is tried whether a single
// field explains everything. Only a matching checksum counts as an explanation.
//
// Frames behind damage that continue no checksum of the log may be those of another log. They count
// only if what they say goes with what is before and behind them; see [ClassForeign].
//
// # Flavours
//
// etcd up to 3.6 encodes an entry's type always, from 3.7 on only if it is not 0; see
// [raftpb.Flavor]. Readers of all versions accept both, and a log that went through an upgrade
// holds both. A log that is appended to keeps the flavour of its last entries. A new one is written
// as etcd 3.4 to 3.6 do (FlavorGogo), because that is what every version, and every other tool, has
// been reading for longest: 3.7 reads those bytes in every upgraded log, whereas the shorter form
// is younger than most readers.
//
// # Dialects
//
// Files, frames, checksums, ends and damage are those of a container; the kinds of records in it are
// etcd's, or those of another application that keeps its records in the same way. See [Dialect].
//
// # Limits
//
//	constant       value        reason
//	maxRecordSize  512 MiB      peers take no larger message from each other, so that no larger
//	                            entry can get into a log
//	maxUnproven    1 MiB        a frame larger than that is read into memory only after its checksum
//	                            was found good: a damaged length allocates nothing
//	windowSize     256 KiB      of a segment in memory, unless a record is larger
//	budgetFactor   8            times the size of a segment may be summed up in the search for
//	                            frames behind damage: no file can make it take quadratic time
//	maxOpen        256          segments up to which all files are held open
//
// # Example
//
// A whole log as etcd's package writes it for the metadata "somedata", before the first entry:
//
//	00000000  04 00 00 00 00 00 00 84                            size 4, padding 4
//	00000008  08 04 10 00  00 00 00 00                           crc record: kind 4, crc 0
//	00000010  12 00 00 00 00 00 00 86                            size 18, padding 6
//	00000018  08 01 10 85 d4 fd a0 07                            metadata: kind 1, crc 741f6a05
//	00000020  1a 08 73 6f 6d 65 64 61 74 61  00 00 00 00 00 00   8 bytes of data: "somedata"
//	00000030  0e 00 00 00 00 00 00 82                            size 14, padding 2
//	00000038  08 05 10 80 db 81 c1 01                            snapshot: kind 5, crc 18206d80
//	00000040  1a 04 08 00 10 00  00 00                           4 bytes of data: index 0, term 0
package wal
