package tracker

// State is how a leader treats a member.
type State uint8

// How a leader can treat a member.
const (
	// StateProbe: the leader doesn't know where the member's log matches. It sends one message,
	// and another only after an answer or a heartbeat's.
	StateProbe State = iota
	// StateReplicate: the logs match at a known index. Messages are pipelined without waiting.
	StateReplicate
	// StateSnapshot: the member needs entries that were compacted away. Nothing is sent until it
	// is known what became of the snapshot.
	StateSnapshot
)

// String returns the name of the constant.
func (s State) String() string {
	switch s {
	case StateProbe:
		return "StateProbe"
	case StateReplicate:
		return "StateReplicate"
	case StateSnapshot:
		return "StateSnapshot"
	}
	return "State(?)"
}
