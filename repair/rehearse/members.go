package rehearse

import (
	"slices"

	"github.com/raftctl/raftctl/raftpb"
)

// sameMembers reports whether two configurations have the same voters and learners.
func sameMembers(a, b *raftpb.ConfState) bool {
	return slices.Equal(sorted(a.Voters), sorted(b.Voters)) && slices.Equal(sorted(a.Learners), sorted(b.Learners))
}

func sorted(ids []uint64) []uint64 {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return ids
}
