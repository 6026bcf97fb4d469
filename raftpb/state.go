package raftpb

import (
	"errors"
	"fmt"
	"slices"
)

// HardState is what a member must remember across a restart. All fields are zero before the first
// election.
type HardState struct {
	Term   uint64 // the current term
	Vote   uint64 // the member ID voted for in Term, 0 for none
	Commit uint64 // the highest index known to be committed; on disk it may lag behind
}

// IsEmpty reports whether nothing was ever recorded.
func (s HardState) IsEmpty() bool { return s == HardState{} }

// ConfState is the membership of a Raft group as of some index. Outside a joint configuration
// VotersOutgoing and LearnersNext are empty and AutoLeave is false.
type ConfState struct {
	Voters         []uint64 // the voters, in a joint configuration those of the incoming half
	Learners       []uint64 // members that receive the log but don't vote
	VotersOutgoing []uint64 // the voters of the outgoing half
	LearnersNext   []uint64 // voters of the outgoing half that become learners on leaving it
	AutoLeave      bool     // the joint configuration is left without a further proposal
}

// Equivalent returns nil if both describe the same membership, whatever the order of the lists. The
// error names every list that differs, sorted. A nil ConfState is equivalent to nothing.
func (s *ConfState) Equivalent(other *ConfState) error {
	if s == nil || other == nil {
		return fmt.Errorf("compare conf states: left is nil: %t, right is nil: %t",
			s == nil, other == nil)
	}
	err := errors.Join(
		sameIDs("voters", s.Voters, other.Voters),
		sameIDs("learners", s.Learners, other.Learners),
		sameIDs("voters_outgoing", s.VotersOutgoing, other.VotersOutgoing),
		sameIDs("learners_next", s.LearnersNext, other.LearnersNext),
	)
	if s.AutoLeave != other.AutoLeave {
		err = errors.Join(err, fmt.Errorf("auto_leave %t, other has %t", s.AutoLeave, other.AutoLeave))
	}
	return err
}

func sameIDs(name string, a, b []uint64) error {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	if slices.Equal(a, b) {
		return nil
	}
	return fmt.Errorf("%s %x, other has %x", name, a, b)
}

// SnapshotMetadata says which prefix of the log a snapshot stands for.
type SnapshotMetadata struct {
	ConfState ConfState // the membership as of Index
	Index     uint64    // the last entry that the snapshot includes
	Term      uint64    // the term of that entry
}

// ID returns the position of the last entry that the snapshot includes.
func (m *SnapshotMetadata) ID() EntryID { return EntryID{Term: m.Term, Index: m.Index} }

// Snapshot is the application's state as of an index.
type Snapshot struct {
	Data     []byte // the application's bytes; etcd up to 3.7 puts its v2 store as JSON here
	Metadata SnapshotMetadata
}

// IsEmpty reports whether the snapshot stands for nothing: no snapshot includes index 0 only.
func (s *Snapshot) IsEmpty() bool { return s == nil || s.Metadata.Index == 0 }
