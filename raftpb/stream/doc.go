// Package stream reads and writes the four forms in which Raft messages travel between the members of
// an etcd cluster, 3.4 to 3.7, byte for byte: two endless streams, which are the bodies of responses
// to a GET of the member that receives, and the bodies of two kinds of POST.
//
//	form               path                          reader            writer
//	message stream     /raft/stream/message/DIALER   MessageReader     MessageWriter
//	append stream      /raft/stream/msgapp/DIALER    AppendReader      AppendWriter
//	pipeline           /raft                         ReadPipeline      raftpb.Message.Marshal
//	snapshot           /raft/snapshot                ReadSnapshotHead  WriteSnapshotHead
//
// Numbers are 8 bytes, the highest first. Nothing has a checksum, and nothing is aligned. Chunks of
// HTTP have nothing to do with frames.
//
// # Message stream
//
// Frames follow each other:
//
//	offset  size  field
//	0       8     N, the length of the message; 0 is the message without fields
//	8       N     raftpb.Message
//
// A MsgHeartbeat from 0 to 0 is a link heartbeat, which says that the connection is alive: 30 bytes
// from etcd 3.5, 20 from 3.6, 2 from 3.7, and the length before them. See IsLinkHeartbeat.
//
// # Append stream
//
// It carries MsgApp only, most of them without what the receiver knows: the two members, and the state,
// which both ends keep. The state is a term and an index, both 0 when the connection begins. The first
// byte of a frame is its type:
//
//	0  link heartbeat; nothing follows
//
//	1  short frame
//	   offset  size  field
//	   1       8     count of entries, may be 0
//	   9       8     length of the first entry
//	   17      n     raftpb.Entry; then the length of the next one, and so on
//	   .       8     commit index
//
//	   A MsgApp from the member that was dialled to the one that dialled, whose Term and LogTerm are the
//	   state's term and whose Index is the state's index. It adds the count to the state's index.
//
//	2  complete frame
//	   offset  size  field
//	   1       8     N, the length of the message
//	   9       N     raftpb.Message
//
//	   The state becomes the message's Term, and the index of its last entry or, without entries, its
//	   Index.
//
// This is how a stream from member 1 to member 2 begins, as etcd 3.6 writes it:
//
//	02                         complete frame
//	00 00 00 00 00 00 00 1c    28 bytes
//	08 03 10 02 18 01 20 02    MsgApp to 2 from 1, term 2,
//	28 01 30 03                log term 1, index 3,
//	3a 06 08 00 10 02 18 04    an entry: type 0, term 2, index 4, no data
//	40 03 50 00 58 00 68 00    commit 3; the state is now term 2, index 4
//	01                         short frame
//	00 00 00 00 00 00 00 01    one entry
//	00 00 00 00 00 00 00 0b    11 bytes
//	08 00 10 02 18 05          type 0, term 2, index 5,
//	22 03 66 6f 6f             data "foo"
//	00 00 00 00 00 00 00 04    commit 4; the state is now term 2, index 5
//	01                         short frame
//	00 00 00 00 00 00 00 00    no entry
//	00 00 00 00 00 00 00 05    commit 5
//	00                         link heartbeat
//
// # The ways a stream can end
//
//   - io.EOF: between two frames, so that all of it was read.
//   - *ReadError with ErrTorn: within a frame.
//   - *ReadError with another error: the reader below failed, as one with a deadline does.
//   - *CorruptError: bytes that no member sends. A connection with such is to be given up, as there is
//     no telling where the next frame begins.
//
// # Limits
//
// The constants of this package bound every length and count before memory is allocated for it. Within
// them buffers grow with what arrives, by 1 MiB or to twice the size: a false length costs 1 MiB. What
// a message of n bytes may allocate once it is there is said in package raftpb.
package stream
