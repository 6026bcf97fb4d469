package quorum

// Joint is a configuration of up to two sets of voters: the incoming half, and while a change of
// several voters is under way the outgoing one. Decisions need a quorum of both.
type Joint [2]Set

// IsJoint reports whether both halves have a say.
func (j Joint) IsJoint() bool { return len(j[1]) > 0 }

// IDs returns the voters of both halves.
func (j Joint) IDs() Set {
	if len(j[1]) == 0 {
		return j[0]
	}
	return j[0].Union(j[1])
}

// Contains reports whether id is a voter of either half.
func (j Joint) Contains(id uint64) bool { return j[0].Contains(id) || j[1].Contains(id) }

// CommittedIndex returns the highest index that a majority of each half has acknowledged.
func (j Joint) CommittedIndex(acked AckedIndexer) Index {
	incoming := j[0].CommittedIndex(acked)
	if len(j[1]) == 0 {
		return incoming
	}
	return min(incoming, j[1].CommittedIndex(acked))
}

// VoteResult tells how the vote stands: lost if either half lost it, won if both won it.
func (j Joint) VoteResult(votes VoteLookup) VoteResult {
	in, out := j[0].VoteResult(votes), j[1].VoteResult(votes)
	switch {
	case in == VoteLost || out == VoteLost:
		return VoteLost
	case in == VoteWon && out == VoteWon:
		return VoteWon
	}
	return VotePending
}

// String formats the halves as etcd's raft does: (1 2 3), or (2 3 4)&&(1 2 3).
func (j Joint) String() string {
	if j.IsJoint() {
		return j[0].String() + "&&" + j[1].String()
	}
	return j[0].String()
}
