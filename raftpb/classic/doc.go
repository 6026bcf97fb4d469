// Package classic reads and writes the classic binary protocol between members: four messages with fixed fields
// and a header before each.
//
// All numbers are little endian, without alignment. Terms, indexes and IDs are signed, 32 bits each.
//
//	offset  size  field         meaning
//	0       4     type          1 to 4, see Type
//	4       4     payload_size  bytes that follow
//
//	1, REQUESTVOTE_REQUEST, 16 bytes
//	8       4     term
//	12      4     candidate_id
//	16      4     last_log_index
//	20      4     last_log_term
//
//	2, REQUESTVOTE_RESPONSE, 5 bytes
//	8       4     term
//	12      1     vote_granted  0 or 1
//
//	3, APPENDENTRIES_REQUEST, 28 bytes and the entries
//	8       4     term
//	12      4     leader_id
//	16      4     prev_log_index
//	20      4     prev_log_term
//	24      4     leader_commit
//	28      4     seq           comes back as ack
//	32      4     entry count
//	36      .     entries       each its term, the length of its data, 4 bytes both, and the data
//
//	4, APPENDENTRIES_RESPONSE, 21 bytes
//	8       4     term
//	12      4     follower_id
//	16      4     log_index
//	20      1     success       0 or 1
//	21      4     follower_commit
//	25      4     ack           the seq that it answers
//
// This is a request for entries behind entry 6 of term 3, with one entry:
//
//	03 00 00 00  27 00 00 00    type 3, 39 bytes
//	04 00 00 00  01 00 00 00    term 4, leader 1
//	06 00 00 00  03 00 00 00    previous entry: index 6, term 3
//	06 00 00 00  09 00 00 00    commit 6, seq 9
//	01 00 00 00                 one entry
//	04 00 00 00  03 00 00 00    its term 4, 3 bytes
//	66 6f 6f                    data "foo"
//
// There is no checksum, and no version. A stream ends as those of package stream do, and its errors are theirs:
// io.EOF between two messages, *stream.ReadError within one, and *stream.CorruptError for bytes that are none.
package classic
