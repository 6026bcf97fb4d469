package confchange

import (
	"errors"
	"fmt"

	"github.com/raftctl/raftctl/raft/quorum"
)

// checkInvariants returns an error if a membership contradicts itself. It is checked before and
// after every change: a broken one must neither be built on nor be let out.
func checkInvariants(r Result) error {
	if err := checkMembers(r); err != nil {
		return err
	}
	for _, id := range r.Config.LearnersNext {
		// Invariant: a learner is staged only because the outgoing half still counts on its vote.
		if !r.Config.Voters[1].Contains(id) {
			return fmt.Errorf("%d is in LearnersNext, but not Voters[1]", id)
		}
		if r.Members.Get(id).IsLearner {
			return fmt.Errorf("%d is in LearnersNext, but is already marked as learner", id)
		}
	}
	for _, id := range r.Config.Learners {
		// Invariant: nobody is learner and voter at once.
		if i := voterHalf(r, id); i >= 0 {
			return fmt.Errorf("%d is in Learners and Voters[%d]", id, i)
		}
		if !r.Members.Get(id).IsLearner {
			return fmt.Errorf("%d is in Learners, but is not marked as learner", id)
		}
	}
	if !r.Config.Voters.IsJoint() {
		return checkPlain(r)
	}
	return nil
}

// checkMembers returns an error if someone with a role is not followed.
func checkMembers(r Result) error {
	cfg := r.Config
	for _, set := range []quorum.Set{cfg.Voters.IDs(), cfg.Learners, cfg.LearnersNext} {
		for _, id := range set {
			if r.Members.Get(id) == nil {
				return fmt.Errorf("no progress for %d", id)
			}
		}
	}
	return nil
}

// voterHalf returns the half of the voters that id is in, the outgoing one first, -1 for none.
func voterHalf(r Result, id uint64) int {
	switch {
	case r.Config.Voters[1].Contains(id):
		return 1
	case r.Config.Voters[0].Contains(id):
		return 0
	}
	return -1
}

// checkPlain returns an error if something of a joint configuration is left in one that is none.
func checkPlain(r Result) error {
	if len(r.Config.LearnersNext) > 0 {
		return errors.New("LearnersNext must be empty when not joint")
	}
	if r.Config.AutoLeave {
		return errors.New("AutoLeave must be false when not joint")
	}
	return nil
}
