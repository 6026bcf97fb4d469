// Package paste tells what bytes are that somebody has copied out of a log, a dump or a debugger: one of Raft's
// messages, entries or states, or a piece of a stream between members.
//
// Protobuf doesn't say which message it is. What tells is that encoders write each type in one way only: what was
// read is encoded again, and a type whose encoding gives the same bytes is a candidate. Several may be; they are
// ordered by how much has to come together for each. Only if there is none, types count that the bytes can be
// read as.
package paste
