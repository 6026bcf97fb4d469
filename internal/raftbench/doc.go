// Package raftbench measures an implementation of Raft in clusters within one process: the same way
// for each, so that what differs is theirs. It is generic in the messages: an implementation brings
// an adapter, which drives its RawNode with its own in-memory storage.
//
// Beside ours stand the reference in its version 3.7 (package raft's benchmarks) and, because a
// program can hold one version only, 3.6 in a module of its own (raftbench36).
package raftbench

// Node is one member: a RawNode in the synchronous mode with its storage, and an application that
// counts.
type Node[M any] interface {
	// Restart starts the member over from its storage, as if all committed entries were applied.
	Restart() error
	// Campaign, Propose and Tick call the RawNode's.
	Campaign() error
	Propose(data []byte) error
	Tick()
	// Step steps a message. It may keep what the message refers to.
	Step(m *M) error
	// Work handles one Ready: it stores, applies, appends the messages to out, and advances. more
	// is false, and nothing else done, if there is none.
	Work(out []M) (msgs []M, more bool)
	// Committed returns the number of proposals with data that were applied.
	Committed() int
	// LastIndex returns the last index in storage.
	LastIndex() uint64
	// Compact drops all but the last keep entries from the storage.
	Compact(keep uint64) error
	// Idle calls Ready and Advance when there is nothing to do.
	Idle()
	// HasReady calls the RawNode's.
	HasReady() bool
	// Status calls the RawNode's.
	Status()
}

// Config is what all members have.
type Config struct {
	ID              uint64
	Voters          []uint64
	ElectionTick    int    // timeouts are not to be spread: nobody ticks by accident
	HeartbeatTick   int    // always 1
	MaxSizePerMsg   uint64 // bytes
	MaxInflightMsgs int
}

// Implementation is what is measured.
type Implementation[M any] struct {
	Name string // "ours", "ref37", "ref36"
	// New returns a member whose storage holds the voters in a snapshot at FirstIndex, term 1, and
	// nothing else.
	New func(Config) (Node[M], error)
	// To returns the receiver of a message.
	To func(*M) uint64
}

// FirstIndex is the index of the snapshot that members start from.
const FirstIndex = 1
