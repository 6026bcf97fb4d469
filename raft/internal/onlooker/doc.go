// Package onlooker holds the proof that the messages of a group tell whether it keeps to Raft's rules: what
// decode/stream/check makes of the messages of the simulator's worlds (raft/internal/sim). Tests only, no code.
package onlooker
