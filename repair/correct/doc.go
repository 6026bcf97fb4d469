// Package correct finds bytes of a log that are proven to be wrong, and what they were.
//
// A record's checksum is CRC-32C, continued from the record before it. If the record before is intact
// and the stored checksum is known to be right, the two tell by how much the data is off: the
// difference between the checksum computed and the one stored depends on the error alone, not on the
// data. Going backwards through the record bit by bit, that difference is turned into what the error
// would have to be at each place. Where it is a single bit, that bit explains everything. CRC-32C gives
// each single bit of a record up to 256 MiB another difference, so that there is at most one.
//
// What checksums don't cover, a frame's header, type, tags, lengths and padding, follows from what
// they do cover: the data, and where the next frame begins.
//
// # Levels
//
// Explanations are tried by how little they change: a single bit anywhere in a frame; a wrong field, or
// several, around intact data; a byte; a word of 16 bits; and fields together with a bit of the data. The
// first level at which anything fits decides. If more than one candidate fits there, nothing is proven. So
// it is if so many candidates were tried that one is likely to fit by chance: each does with a
// probability of one in 2^32.
package correct
