package quorum

// VoteResult tells how a vote stands.
type VoteResult uint8

// How a vote can stand.
const (
	VotePending VoteResult = 1 + iota // outstanding votes can still decide either way
	VoteLost                          // a quorum of yes can no longer come about
	VoteWon                           // a quorum said yes
)

// String returns the name of the constant.
func (r VoteResult) String() string {
	switch r {
	case VotePending:
		return "VotePending"
	case VoteLost:
		return "VoteLost"
	case VoteWon:
		return "VoteWon"
	}
	return "VoteResult(?)"
}

// VoteLookup returns what a voter said, and whether it has said anything yet.
type VoteLookup func(id uint64) (granted, voted bool)

// VoteResult tells how the vote stands in the set. Votes of others don't count. A set without
// voters agrees to everything, which makes a joint configuration with an empty half a plain one.
func (s Set) VoteResult(votes VoteLookup) VoteResult {
	if len(s) == 0 {
		return VoteWon
	}
	yes, missing := 0, 0
	for _, id := range s {
		granted, voted := votes(id)
		switch {
		case !voted:
			missing++
		case granted:
			yes++
		}
	}
	need := len(s)/2 + 1
	switch {
	case yes >= need:
		return VoteWon
	case yes+missing >= need:
		return VotePending
	}
	return VoteLost
}
