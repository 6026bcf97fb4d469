// Package correct finds bytes of a log that are proven to be wrong, and what they were.
//
// A record's checksum is CRC-32C, continued from the record before it. If the record before is intact
// and the stored checksum is known to be right, the two tell by how much the data is off: the
// difference between the checksum computed and the one stored depends on the error alone, not on the
// data. Going backwards through the record byte by byte, that difference is turned into what the error
// would have to be at each place. Where it is a single bit, that bit explains everything. CRC-32C gives
// each single bit of a record up to 256 MiB another difference, so that there is at most one.
//
// What checksums don't cover, a frame's header, type, tags, lengths and padding, follows from what
// they do cover: the data, and where the next frame begins.
//
// # Levels
//
// Explanations are tried by how little they assume:
//
//	forms of the record     what the reader explains itself: one field around intact data is wrong
//	single bits             anywhere in the frame, in the checksum that a segment begins with if nothing
//	                        proves it, or in the zeros behind the log's end
//	ways to read the data   whatever is wrong with header and fields: the data continues the chain, and its
//	                        checksum is the stored one, or the one that the next record continues
//	heads of a segment      records that say what is known from elsewhere: the checksum that the segment
//	                        before ends with, the metadata of the others, the first snapshot, the last state
//	errors within a byte
//	hard states             a hard state or empty entry of which the neighbours leave few possible
//	pairs of bits
//	16-bit words
//	bits, and bytes, each with the fields that go with it
//
// The first level at which anything fits decides. If more than one candidate fits there, nothing is proven.
// So it is if so many candidates were tried that one is likely to fit by chance, which each does with a
// probability of one in 2^32: more than 1 in 100 of single bits (records of more than 5 MiB), more than 1 in
// 10,000 of anything else (a byte in a record of 1.6 KiB). A word of 32 bits has a pattern that fits at each
// place of a record: the checksum alone proves none.
//
// # What can't be told apart
//
// In a log whose first segments were removed nothing proves the checksum that it begins with. A bit of it
// and one of the first 32 of the metadata behind it look alike. The metadata of the other segments tells
// them apart or, if there is only one, the members that its records name. If they don't name the log's own,
// nothing does.
//
// A header that says both of padding and of none, each but for one bit, at the end of a log of etcd 2.x: the
// record is taken to have none, like those before.
//
// A single bit behind the log's end is taken for a flipped one, even where it could be what is left of the
// length of a record. More than a bit is not.
package correct
