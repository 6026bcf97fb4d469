// Package stream tells what the members of a cluster say to each other: it makes events of the bytes that
// went over their connections.
//
// An Event is one thing that was seen: a Raft message, an exchange on the peer port that is not Raft, or a
// stretch that is missing. All sources of events, which are captures of packets, recordings and the
// simulator, yield them as an Events, and all that explains them takes one:
//
//	capture ─┐            ┌─ dump
//	recording├── Events ──┼─ stat, check
//	simulator┘            └─ draw
//
// A [Decoder] makes events of the bytes of connections: it finds the requests and responses of HTTP between members,
// takes chunks apart, and reads the frames in them with the codec of package raftpb/stream. It can be told of a connection
// from anywhere on, and that bytes are missing: it then looks for the next frame, which is one if it can be parsed and
// another one, or the end of a chunk, follows it. Connections that speak the classic
// binary protocol or RESP are told from others by their first bytes. [Names] learns from events what members are called.
package stream
