package rehearse

import (
	"slices"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/raftpb"
)

// membersOfLog returns the membership that the snapshot, and the committed entries behind it, make.
func (m *member) membersOfLog() (*raftpb.ConfState, error) {
	var members decode.Members
	if s := &m.found.Snapshot; s.Index > 0 {
		if err := members.Restore(s.Index, s.ConfState); err != nil {
			return nil, err
		}
	}
	var r decode.Request
	for i := range m.found.Entries {
		e := &m.found.Entries[i]
		if e.Index > m.found.State.Commit {
			break
		}
		if decode.Payload(&r, e) == nil {
			_, _ = members.Apply(e.Index, &r) // what etcd refuses changes nothing
		}
	}
	cs, known := members.ConfState()
	if !known {
		return &m.report.ConfState, nil // a snapshot of 3.4 doesn't say
	}
	return &cs, nil
}

// sameMembers reports whether two configurations have the same voters and learners.
func sameMembers(a, b *raftpb.ConfState) bool {
	return slices.Equal(sorted(a.Voters), sorted(b.Voters)) && slices.Equal(sorted(a.Learners), sorted(b.Learners))
}

func sorted(ids []uint64) []uint64 {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return ids
}
