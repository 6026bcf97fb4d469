// Package mutation holds the proof that the simulator of whole members (node/internal/sim) is worth something: bugs,
// put into a member's loop and its log on purpose, each of which the simulator must find. Tests only, no code.
//
// TestMutants tries a few of them; with -mutation.all, all, which takes some minutes. That every replacement still
// applies is always checked.
package mutation
