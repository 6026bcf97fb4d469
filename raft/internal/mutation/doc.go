// Package mutation holds the proof that the proofs of package raft are worth something: bugs, put
// into the core on purpose, each of which the simulator (raft/internal/sim) or the lockstep with
// the reference (raft/internal/lockstep) must find. Tests only, no code.
//
// A bug is a replacement of text in one file of the core, which the compiler sees by way of
// go test -overlay; so the core has no hooks for it, and no file is changed.
//
// TestMutants tries a few of them; with -mutation.all, all, which takes some minutes. That every
// replacement still applies is always checked.
package mutation
