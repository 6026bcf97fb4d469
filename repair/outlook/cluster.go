package outlook

import (
	"encoding/json"

	"github.com/raftctl/raftctl/raftpb"
)

// cluster is what a server knows of its cluster while it applies a log, so far as that can end it.
type cluster struct {
	members   map[uint64]bool // by ID: whether it is a voter
	removed   map[uint64]bool
	whole     bool // the log is applied from its beginning: every member that ever was is known
	downgrade *downgrade
}

// newCluster returns the cluster as of a snapshot; nil is the state before the first entry.
func newCluster(conf *raftpb.ConfState, whole bool) *cluster {
	c := &cluster{members: map[uint64]bool{}, removed: map[uint64]bool{}, whole: whole}
	if conf == nil {
		return c
	}
	for _, ids := range [][]uint64{conf.Learners, conf.LearnersNext} {
		for _, id := range ids {
			c.members[id] = false
		}
	}
	for _, ids := range [][]uint64{conf.VotersOutgoing, conf.Voters} {
		for _, id := range ids {
			c.members[id] = true
		}
	}
	return c
}

// soleVoter reports whether the member is the only one that votes, so that what it has is committed.
func (c *cluster) soleVoter(id uint64) bool {
	for member, voter := range c.members {
		if voter && member != id {
			return false
		}
	}
	return c.members[id]
}

// mayBe reports whether the cluster has or had a member, for all that is known.
func (c *cluster) mayBe(id uint64) bool {
	_, is := c.members[id]
	return is || c.removed[id] || !c.whole
}

// changeContext is what etcd writes into the context of a membership change, as JSON.
type changeContext struct {
	ID        uint64 `json:"id"`
	IsPromote bool   `json:"isPromote"`
}

// change applies a membership change as etcd does, which passes over a change that doesn't fit, and
// returns what it ends on if it does.
func (c *cluster) change(cc *raftpb.ConfChange, self uint64) trigger {
	voter, is := c.members[cc.NodeID]
	if c.removed[cc.NodeID] {
		return ""
	}
	switch cc.Type {
	case raftpb.ConfChangeAddNode, raftpb.ConfChangeAddLearnerNode:
		var ctx changeContext
		if err := json.Unmarshal(cc.Context, &ctx); err != nil {
			return triggerContext
		}
		if is != ctx.IsPromote || ctx.IsPromote && voter {
			return ""
		}
		if ctx.ID != cc.NodeID {
			return triggerMemberID
		}
		c.members[cc.NodeID] = cc.Type == raftpb.ConfChangeAddNode
	case raftpb.ConfChangeRemoveNode:
		if !is && c.whole {
			return ""
		}
		delete(c.members, cc.NodeID)
		c.removed[cc.NodeID] = true
		if cc.NodeID == self {
			return triggerRemoved
		}
	}
	return ""
}
