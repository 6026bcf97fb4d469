// Package stat summarises what the members of a cluster said to each other: how many messages of which kind went
// where, how long answers took, who was elected and why, who is slow, and what was rejected, sent again or is missing.
//
// It takes events in one pass and memory that does not grow with them. All times are those of the events, by the
// clock of who saw them: a latency is what that one saw, at the leader the whole way there and back, at a follower
// only the time that it took itself.
//
// # Limits
//
// Durations are counted in classes whose width is a sixteenth of their lower end ([Histogram]), rates in 64 intervals
// that double as time goes on ([Series]). Of pairs and types 4096 are counted, of leaders and members 512 in a term
// each followed, with 1024 messages each that wait for an answer; 256 elections and 64 snapshots are listed, the last
// ones. What falls out is counted where it can be (Summary.Dropped), and not estimated.
package stat
