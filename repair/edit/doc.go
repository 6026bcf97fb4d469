// Package edit makes a new log out of a damaged one by Changes, which are plain data: bytes that are corrected,
// segments that are left out or renamed, and a place from which on records are written anew, without some,
// with others, or begun anew at a snapshot.
//
// An Overlay shows the source as it will be once it is corrected, so that changes are tried and checked by the same
// reader as any log before a byte is written. Make writes the log: segments are copied, corrected on the way; from the
// place on where records change, they go through a log's writer, since the checksums run through all of them. What was
// made is read again as a whole, and compared with what it was made of.
package edit
