// Package recording keeps events in files: what a member said and was told, or what somebody heard who listened
// between members. A recording is a log in the container of package wal, with records of its own, so that the
// same code writes, reads and verifies it, and reads on behind damage.
//
// # Files
//
// A recording is a directory of segments, named as those of a log:
//
//	0000000000000000-0000000000000000.rec    the first one
//	0000000000000001-0000000000000001.rec    the next; the second number means nothing
//	0.tmp                                    a segment prepared for later; its content means nothing
//
// Each segment can be read without the others. It ends after the record that brings it to 64,000,000 bytes. Files
// are readable by their owner alone, since messages hold what clients wrote. What a file is depends on its content: see
// [Is].
//
// Frames, padding and checksums are those of package wal. A segment begins with a crc record and metadata; events
// follow.
//
//	kind  name      data
//	1     metadata  Metadata, in every segment the same
//	4     crc       none; its checksum is that of all records before the segment
//	16    event     an event
//
// # Metadata
//
// The data of records are protobuf messages. The numbers of the fields ascend, and what is zero is left out, but for
// kind and time of an event. Fields that are not known are skipped. Times are in nanoseconds since 1970, by the
// clock of the recorder, 0 if not known.
//
//	field  type     name      meaning
//	1      string   magic     "raft messages"; it is what tells a recording from a log
//	2      uint32   version   1
//	3      fixed64  recorder  the member that recorded; left out if it was none
//	4      fixed64  cluster   its cluster
//	5      fixed64  start     when the recording began
//	6      Member   members   those that were known then
//	7      uint64   members_at  the entry up to which they are the membership in full; left out if that isn't known
//
//	Member: 1 fixed64 id, 2 string name, 3 bool learner
//
// # Events
//
//	field  type      name      meaning
//	1      uint32    kind      1 message, 2 link heartbeat, 3 exchange, 4 gap
//	2      fixed64   time      when its last byte was seen, or when it was handed over to be sent
//	3      fixed64   from      the member that sends
//	4      fixed64   to        the member that receives
//	5      string    channel   "message", "msgapp", "pipeline", "snapshot", "classic", "peer", "client", "memory"
//	6      uint64    conn      tells connections apart
//	7      uint64    size      bytes on the channel
//	8      Message   message   of kind 1: a raftpb.Message as members write it
//	9      Exchange  exchange  of kind 3
//	10     Gap       gap       of kind 4
//
//	Exchange: 1 string method, 2 string path, 3 uint32 status, 4 string server, 5 fixed64 cluster, 6 string note
//	Gap:      1 sint64 bytes, -1 if not known; 2 string reason
//
// # Ends
//
// A recording ends as a log does: cleanly, torn or corrupt. One that was not closed ends in zeros, up to the size that
// was reserved for it. What was flushed outlives the process that wrote it, what was synced the machine. Damage
// is no error: reading tells it as a gap and goes on at the next record that proves itself.
//
// # Example
//
// A recording by member 2 of one link heartbeat, from member 1 on the third connection:
//
//	00000000  04 00 00 00 00 00 00 84                            size 4, padding 4
//	00000008  08 04 10 00  00 00 00 00                           crc record: kind 4, crc 0
//	00000010  24 00 00 00 00 00 00 84                            size 36, padding 4
//	00000018  08 01 10 b6 b8 ec aa 04  1a 1a                     metadata: kind 1, crc 455b1c36, 26 bytes of data
//	00000022  0a 0d 72 61 66 74 20 6d 65 73 73 61 67 65 73       magic "raft messages"
//	00000031  10 01                                              version 1
//	00000033  19 02 00 00 00 00 00 00 00  00 00 00 00            recorder 2
//	00000040  33 00 00 00 00 00 00 85                            size 51, padding 5
//	00000048  08 10 10 ac 85 fd ae 0c  1a 29                     event: kind 16, crc c5df42ac, 41 bytes of data
//	00000052  08 02                                              kind 2, a link heartbeat
//	00000054  11 15 6d 08 29 07 ac 98 18                         time 2026-03-01 09:00:00.123456789 UTC
//	0000005d  19 01 00 00 00 00 00 00 00                         from 1
//	00000066  21 02 00 00 00 00 00 00 00                         to 2
//	0000006f  2a 06 6d 73 67 61 70 70                            channel "msgapp"
//	00000077  30 03                                              connection 3
//	00000079  38 01  00 00 00 00 00                              size 1
package recording
