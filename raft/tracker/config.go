package tracker

import (
	"fmt"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/raft/quorum"
	"github.com/raftctl/raftctl/raftpb"
)

// Config is the membership of a group.
type Config struct {
	// Voters decide; two halves while a change of several voters is under way.
	Voters quorum.Joint
	// AutoLeave is true if a joint configuration is left without a further proposal of the
	// application. Invariant: false outside a joint configuration.
	AutoLeave bool
	// Learners receive the log without a say. Invariant: none of them is in a half of Voters.
	Learners quorum.Set
	// LearnersNext are outgoing voters that become learners when the joint configuration is left;
	// until then they vote, which is why they can't be in Learners yet.
	// Invariant: a subset of Voters[1].
	LearnersNext quorum.Set
}

// ConfState returns the membership in its stored form.
func (c *Config) ConfState() raftpb.ConfState {
	return raftpb.ConfState{
		Voters:         slices.Clone(c.Voters[0]),
		Learners:       slices.Clone(c.Learners),
		VotersOutgoing: slices.Clone(c.Voters[1]),
		LearnersNext:   slices.Clone(c.LearnersNext),
		AutoLeave:      c.AutoLeave,
	}
}

// Singleton reports whether one voter alone decides.
func (c *Config) Singleton() bool { return len(c.Voters[0]) == 1 && len(c.Voters[1]) == 0 }

// String formats the membership as etcd's raft does.
func (c Config) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "voters=%s", c.Voters)
	if len(c.Learners) > 0 {
		fmt.Fprintf(&b, " learners=%s", c.Learners)
	}
	if len(c.LearnersNext) > 0 {
		fmt.Fprintf(&b, " learners_next=%s", c.LearnersNext)
	}
	if c.AutoLeave {
		b.WriteString(" autoleave")
	}
	return b.String()
}
