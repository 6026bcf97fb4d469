package confchange

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/raft/quorum"
	"github.com/raftctl/raftctl/raft/tracker"
	"github.com/raftctl/raftctl/raftpb"
)

// Changer computes memberships. Its methods leave the Tracker as it is.
type Changer struct {
	Tracker *tracker.Tracker
	// LastIndex is the last index of the log; new members are probed there.
	LastIndex uint64
}

// Result is a membership with the progress of its members.
type Result struct {
	Config  tracker.Config
	Members tracker.Members
}

// Simple applies changes of which at most one moves a voter. Errors: the configuration is joint,
// more than one voter would change, no voter would be left, or a change's type is unknown.
func (c Changer) Simple(changes ...raftpb.ConfChangeSingle) (Result, error) {
	d, err := c.begin()
	if err != nil {
		return Result{}, err
	}
	if d.Config.Voters.IsJoint() {
		return Result{}, errors.New("can't apply simple config change in joint config")
	}
	if err := d.apply(changes); err != nil {
		return Result{}, err
	}
	if difference(c.Tracker.Voters[0], d.Config.Voters[0]) > 1 {
		return Result{}, errors.New("more than one voter changed without entering joint config")
	}
	return d.finish()
}

// EnterJoint makes the voters the outgoing half, and applies changes to the incoming one. autoLeave
// says whether the joint configuration is to be left without a further proposal.
func (c Changer) EnterJoint(autoLeave bool, changes ...raftpb.ConfChangeSingle) (Result, error) {
	d, err := c.begin()
	if err != nil {
		return Result{}, err
	}
	if d.Config.Voters.IsJoint() {
		return Result{}, errors.New("config is already joint")
	}
	if len(d.Config.Voters[0]) == 0 {
		// An empty membership may be filled voter by voter, as a restored one is, but it has no
		// majority to hand over.
		return Result{}, errors.New("can't make a zero-voter config joint")
	}
	d.Config.Voters[1] = d.Config.Voters[0]
	if err := d.apply(changes); err != nil {
		return Result{}, err
	}
	d.Config.AutoLeave = autoLeave
	return d.finish()
}

// LeaveJoint drops the outgoing half: those only in it are members no longer, and its voters that
// were to become learners do.
func (c Changer) LeaveJoint() (Result, error) {
	d, err := c.begin()
	if err != nil {
		return Result{}, err
	}
	if !d.Config.Voters.IsJoint() {
		return Result{}, errors.New("can't leave a non-joint config")
	}
	for _, id := range d.Config.LearnersNext {
		d.Config.Learners = d.Config.Learners.With(id)
		d.Members.Get(id).IsLearner = true
	}
	for _, id := range d.Config.Voters[1] {
		if !d.Config.Voters[0].Contains(id) && !d.Config.Learners.Contains(id) {
			d.Members = d.Members.Without(id)
		}
	}
	d.Config.LearnersNext = nil
	d.Config.Voters[1] = nil
	d.Config.AutoLeave = false
	return d.finish()
}

// draft is a membership in the making.
type draft struct {
	Result
	changer Changer
}

// begin checks the present membership and returns a copy to change. The progress of members is
// copied flat: only IsLearner is changed here. AutoLeave is decided anew by each operation, as in
// etcd.
func (c Changer) begin() (*draft, error) {
	cfg := c.Tracker.Config
	cfg.AutoLeave = false
	d := &draft{changer: c}
	d.Result = Result{Config: cfg, Members: slices.Clone(c.Tracker.Members)}
	return d, checkInvariants(d.Result)
}

// finish checks the new membership before anyone gets to see it.
func (d *draft) finish() (Result, error) {
	if err := checkInvariants(d.Result); err != nil {
		return Result{}, err
	}
	return d.Result, nil
}

// apply makes changes one after the other.
func (d *draft) apply(changes []raftpb.ConfChangeSingle) error {
	for _, change := range changes {
		if change.NodeID == 0 {
			continue // how etcd's server marks a committed change that it has refused
		}
		switch change.Type {
		case raftpb.ConfChangeAddNode:
			d.makeVoter(change.NodeID)
		case raftpb.ConfChangeAddLearnerNode:
			d.makeLearner(change.NodeID)
		case raftpb.ConfChangeRemoveNode:
			d.remove(change.NodeID)
		case raftpb.ConfChangeUpdateNode:
		default:
			return fmt.Errorf("unexpected conf type %d", int32(change.Type))
		}
	}
	if len(d.Config.Voters[0]) == 0 {
		return errors.New("removed all voters")
	}
	return nil
}

// makeVoter adds or promotes a member.
func (d *draft) makeVoter(id uint64) {
	if p := d.Members.Get(id); p != nil {
		p.IsLearner = false
		d.Config.Learners = d.Config.Learners.Without(id)
		d.Config.LearnersNext = d.Config.LearnersNext.Without(id)
	} else {
		d.addMember(id, false)
	}
	d.Config.Voters[0] = d.Config.Voters[0].With(id)
}

// makeLearner adds a member without a vote, or takes a member's vote: at once, or if the outgoing
// half still counts on it, when the joint configuration is left.
func (d *draft) makeLearner(id uint64) {
	p := d.Members.Get(id)
	switch {
	case p == nil:
		d.addMember(id, true)
		d.Config.Learners = d.Config.Learners.With(id)
	case p.IsLearner:
	case d.Config.Voters[1].Contains(id):
		d.Config.Voters[0] = d.Config.Voters[0].Without(id)
		d.Config.LearnersNext = d.Config.LearnersNext.With(id)
	default:
		p.IsLearner = true
		d.Config.Voters[0] = d.Config.Voters[0].Without(id)
		d.Config.Learners = d.Config.Learners.With(id)
	}
}

// remove drops a member from everything but the outgoing half; it is followed while it is in there.
func (d *draft) remove(id uint64) {
	if d.Members.Get(id) == nil {
		return
	}
	d.Config.Voters[0] = d.Config.Voters[0].Without(id)
	d.Config.Learners = d.Config.Learners.Without(id)
	d.Config.LearnersNext = d.Config.LearnersNext.Without(id)
	if !d.Config.Voters[1].Contains(id) {
		d.Members = d.Members.Without(id)
	}
}

// addMember starts to follow a member, at the end of the log: if it has none, its first answer will
// say so.
func (d *draft) addMember(id uint64, learner bool) {
	progress := d.changer.Tracker.NewProgress(d.changer.LastIndex, learner)
	d.Members = d.Members.With(id, progress)
}

// difference returns how many IDs are in one set only.
func difference(a, b quorum.Set) int {
	common := len(a) + len(b) - len(a.Union(b))
	return len(a) + len(b) - 2*common
}

// Describe formats changes for people, as etcd's raft does.
func Describe(changes ...raftpb.ConfChangeSingle) string {
	var b strings.Builder
	for i, change := range changes {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%v(%d)", change.Type, change.NodeID)
	}
	return b.String()
}
