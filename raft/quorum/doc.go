// Package quorum holds the arithmetic of agreement: which log index a majority has acknowledged,
// and whether a vote is decided. It knows nothing of messages or logs.
//
// A [Set] of voters decides by majority. A [Joint] configuration, which exists while the membership
// changes by more than one voter (dissertation, section 4.3), decides only what both of its halves
// decide. A half that is empty agrees to everything, so that a Joint with one half is a plain Set.
package quorum
