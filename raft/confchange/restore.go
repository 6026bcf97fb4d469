package confchange

import (
	"fmt"

	"github.com/raftctl/raftctl/raftpb"
)

// Restore builds the membership that a ConfState describes, from an empty one. Every step on the
// way is one of the changes above, so that no membership exists that they could not produce.
func Restore(c Changer, cs raftpb.ConfState) (Result, error) {
	scratch := *c.Tracker
	c.Tracker = &scratch
	first, joint := cs.Voters, len(cs.VotersOutgoing) > 0
	if joint {
		// The outgoing half came first, and joining put the incoming one over it.
		first = cs.VotersOutgoing
	}
	result := Result{Config: scratch.Config, Members: scratch.Members}
	steps := adds(raftpb.ConfChangeAddNode, first)
	if !joint {
		steps = append(steps, adds(raftpb.ConfChangeAddLearnerNode, cs.Learners)...)
		steps = append(steps, adds(raftpb.ConfChangeAddLearnerNode, cs.LearnersNext)...)
	}
	for _, step := range steps {
		var err error
		if result, err = c.Simple(step); err != nil {
			return Result{}, fmt.Errorf("restore %s: %w", Describe(step), err)
		}
		scratch.Config, scratch.Members = result.Config, result.Members
	}
	if !joint {
		return result, nil
	}
	result, err := c.EnterJoint(cs.AutoLeave, joining(cs)...)
	if err != nil {
		return Result{}, fmt.Errorf("restore joint config: %w", err)
	}
	return result, nil
}

// joining returns the changes that lead from the outgoing half to the joint configuration: everyone
// goes, and those of the incoming half and the learners come.
func joining(cs raftpb.ConfState) []raftpb.ConfChangeSingle {
	changes := adds(raftpb.ConfChangeRemoveNode, cs.VotersOutgoing)
	changes = append(changes, adds(raftpb.ConfChangeAddNode, cs.Voters)...)
	changes = append(changes, adds(raftpb.ConfChangeAddLearnerNode, cs.Learners)...)
	return append(changes, adds(raftpb.ConfChangeAddLearnerNode, cs.LearnersNext)...)
}

// adds returns one change of the given type for each ID.
func adds(t raftpb.ConfChangeType, ids []uint64) []raftpb.ConfChangeSingle {
	changes := make([]raftpb.ConfChangeSingle, 0, len(ids))
	for _, id := range ids {
		changes = append(changes, raftpb.ConfChangeSingle{Type: t, NodeID: id})
	}
	return changes
}
