package raft

import (
	"fmt"

	"github.com/raftctl/raftctl/raft/confchange"
	"github.com/raftctl/raftctl/raftpb"
)

// decodeConfChange returns the membership change that an entry proposes.
func decodeConfChange(e *raftpb.Entry) (raftpb.ConfChangeV2, error) {
	switch e.Type {
	case raftpb.EntryConfChange:
		var v1 raftpb.ConfChange
		if err := v1.Unmarshal(e.Data); err != nil {
			return raftpb.ConfChangeV2{}, err
		}
		return v1.AsV2(), nil
	case raftpb.EntryConfChangeV2:
		var v2 raftpb.ConfChangeV2
		err := v2.Unmarshal(e.Data)
		return v2, err
	}
	return raftpb.ConfChangeV2{}, fmt.Errorf("entry type %v", e.Type)
}

// applyConfChange computes the membership that follows by a change, and makes it this member's.
func (c *core) applyConfChange(change raftpb.ConfChangeV2) (raftpb.ConfState, error) {
	result, err := c.nextConfig(change)
	if err != nil {
		return raftpb.ConfState{}, fmt.Errorf("raft: apply conf change %s: %w",
			raftpb.DescribeConfChange(change), err)
	}
	return c.switchConfig(result)
}

func (c *core) nextConfig(change raftpb.ConfChangeV2) (confchange.Result, error) {
	changer := confchange.Changer{Tracker: &c.trk, LastIndex: c.log.lastIndex()}
	if change.LeaveJoint() {
		return changer.LeaveJoint()
	}
	if autoLeave, ok := change.EnterJoint(); ok {
		return changer.EnterJoint(autoLeave, change.Changes...)
	}
	return changer.Simple(change.Changes...)
}

// switchConfig makes a membership this member's, and returns its stored form. A leader acts on it
// at once: entries may be committed now that weren't, and new members are waiting.
func (c *core) switchConfig(result confchange.Result) (raftpb.ConfState, error) {
	c.trk.Config, c.trk.Members = result.Config, result.Members
	if c.on() {
		c.emit(ConfigSwitched{Config: c.trk.Config})
	}
	cs := c.trk.ConfState()
	if c.state != StateLeader {
		return cs, nil
	}
	if self := c.trk.Members.Get(c.id); self == nil || self.IsLearner {
		// Removed or demoted. To step down would cost an election, to stay on would have a leader
		// that counts itself in no quorum; the application chooses.
		if c.cfg.StepDownOnRemoval {
			c.becomeFollower(c.term, None)
		}
		return cs, nil
	}
	if len(cs.Voters) == 0 {
		return cs, nil
	}
	err := c.afterSwitch()
	if !c.trk.Voters.Contains(c.transferee) {
		c.transferee = None
	}
	return cs, err
}

// afterSwitch commits what the new quorum has, or sends members what they lack.
func (c *core) afterSwitch() error {
	if c.maybeCommit() {
		return c.broadcastAppend()
	}
	for i := range c.trk.Members {
		member := &c.trk.Members[i]
		if member.ID == c.id {
			continue
		}
		if _, err := c.sendAppend(member.ID, &member.Progress, false); err != nil {
			return err
		}
	}
	return nil
}

// leaveJoint proposes to leave the joint configuration, if that is to happen without the
// application's doing and the change that entered it is applied. It is called for each step that is
// applied, so that a proposal that is dropped, as during a transfer, is made again.
func (c *core) leaveJoint() error {
	if !c.trk.AutoLeave || c.state != StateLeader || c.log.applied < c.pendingConfIndex {
		return nil
	}
	err := c.propose(&raftpb.Message{
		Type:    raftpb.MsgProp,
		Entries: []raftpb.Entry{{Type: raftpb.EntryConfChangeV2}},
	})
	if c.on() {
		c.emit(AutoLeaving{Config: c.trk.Config, Err: err})
	}
	if err == ErrProposalDropped { //nolint:errorlint // returned as is by propose
		return nil
	}
	return err
}
