package node

import (
	"context"
	"encoding/json"
	"time"

	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
	"go.etcd.io/etcd/server/v3/etcdserver/errors"

	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raft/tracker"
	"github.com/raftctl/raftctl/raftpb"
)

// Limits of the checks before a change of the membership; they are etcd's.
const (
	healthyFor   = 5 * time.Second // since when a member must have been heard of
	learnerReady = 0.9             // the part of the leader's log that a learner must have
)

// AddMember adds a member, a learner or a voter, and returns the members there are then. With the strict
// check on, a voter is added only if there is a quorum of started members with it, and all voters have been
// heard of for 5 s. Errors are those of packages etcdserver/errors and membership; so are those of the methods
// below.
func (n *Node) AddMember(ctx context.Context, m membership.Member) ([]*membership.Member, error) {
	if err := n.mayAdd(&m); err != nil {
		return nil, err
	}
	cc := raftpb.ConfChange{Type: raftpb.ConfChangeAddNode, NodeID: uint64(m.ID)}
	if m.IsLearner {
		cc.Type = raftpb.ConfChangeAddLearnerNode
	}
	return n.changeMembers(ctx, cc, m)
}

// RemoveMember removes a member. With the strict check on, the others must then have a quorum.
func (n *Node) RemoveMember(ctx context.Context, id uint64) ([]*membership.Member, error) {
	if err := n.mayRemove(id); err != nil {
		return nil, err
	}
	return n.changeMembers(ctx, raftpb.ConfChange{Type: raftpb.ConfChangeRemoveNode, NodeID: id}, nil)
}

// UpdateMember changes a member's peer URLs.
func (n *Node) UpdateMember(ctx context.Context, m membership.Member) ([]*membership.Member, error) {
	// Whatever the URLs are, etcd says first that there is no such member.
	if n.store.Cluster().Member(m.ID) == nil && n.waitApplied(ctx) == nil && n.store.Cluster().Member(m.ID) == nil {
		return nil, membership.ErrIDNotFound
	}
	cc := raftpb.ConfChange{Type: raftpb.ConfChangeUpdateNode, NodeID: uint64(m.ID)}
	return n.changeMembers(ctx, cc, m)
}

// PromoteMember makes a learner that has nine tenths of the leader's log a voter. Only the leader knows what
// it has: others pass the request on.
func (n *Node) PromoteMember(ctx context.Context, id uint64) ([]*membership.Member, error) {
	members, err := n.promoteAsLeader(ctx, id)
	switch err {
	case nil:
		n.metrics.promoted.Inc()
	case errors.ErrNotLeader:
		return n.promoteByLeader(ctx, id)
	default:
		n.metrics.notPromoted.WithLabelValues(err.Error()).Inc()
	}
	return members, err
}

// promoteAsLeader is PromoteMember at the leader, and ErrNotLeader elsewhere.
func (n *Node) promoteAsLeader(ctx context.Context, id uint64) ([]*membership.Member, error) {
	if err := n.learnerIsReady(ctx, id); err != nil {
		return nil, err
	}
	if !n.cfg.NoStrictReconfig && !n.store.Cluster().IsReadyToPromoteMember(id) {
		return nil, errors.ErrNotEnoughStartedMembers
	}
	m := membership.ConfigChangeContext{Member: membership.Member{ID: typesID(id)}, IsPromote: true}
	return n.changeMembers(ctx, raftpb.ConfChange{Type: raftpb.ConfChangeAddNode, NodeID: id}, m)
}

// learnerIsReady refuses to promote a learner whose log is far behind.
func (n *Node) learnerIsReady(ctx context.Context, id uint64) error {
	if err := n.waitApplied(ctx); err != nil {
		return err
	}
	return n.loop.do(ctx, func(core *raft.RawNode) error {
		if core.BasicStatus().SoftState.RaftState != raft.StateLeader {
			return errors.ErrNotLeader
		}
		var match, leader uint64
		found := false
		core.WithProgress(func(member uint64, _ raft.ProgressType, p tracker.Progress) {
			switch member {
			case id:
				match, found = p.Match, true
			case n.standing.id:
				leader = p.Match
			}
		})
		switch {
		case !found:
			return membership.ErrIDNotFound
		case float64(match) < learnerReady*float64(leader):
			return errors.ErrLearnerNotReady
		}
		return nil
	})
}

// waitApplied waits until what is committed now is applied.
func (n *Node) waitApplied(ctx context.Context) error {
	select {
	case <-n.AppliedWait(n.standing.committed.Load()):
		return nil
	case <-time.After(n.RequestTimeout()):
		return errors.ErrTimeoutWaitAppliedIndex
	case <-ctx.Done():
		return ctx.Err()
	case <-n.ctx.Done():
		return errors.ErrStopped
	}
}

// changeMembers has the cluster apply a change of the membership. What the change is about goes into it as
// JSON, nil for a removal.
func (n *Node) changeMembers(
	ctx context.Context, cc raftpb.ConfChange, about any,
) ([]*membership.Member, error) {
	if about != nil {
		var err error
		if cc.Context, err = json.Marshal(about); err != nil {
			return nil, err
		}
	}
	cc.ID = n.ids.Next()
	if err := kv.Check(&raftpb.Entry{Type: raftpb.EntryConfChange, Data: cc.Marshal(n.cfg.flavor())}, false); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, n.RequestTimeout())
	defer cancel()
	r, err := n.await(ctx, cc.ID, func(chan<- error) error {
		return n.loop.do(ctx, func(core *raft.RawNode) error { return core.ProposeConfChange(cc) })
	})
	if err != nil {
		return nil, err
	}
	return n.store.Cluster().Members(), r.Err
}

func (n *Node) mayAdd(m *membership.Member) error {
	switch {
	case n.cfg.NoStrictReconfig:
		return nil
	case !m.IsLearner && !n.store.Cluster().IsReadyToAddVotingMember():
		return errors.ErrNotEnoughStartedMembers
	case !mayGrow(n.healthyVoters(), len(n.store.Cluster().VotingMembers())):
		return errors.ErrUnhealthy
	}
	return nil
}

// mayGrow tells whether there is still a quorum of healthy voters with one more, which has yet to start. One that
// is alone may always be joined.
func mayGrow(healthy, voters int) bool {
	return voters == 1 || healthy >= (voters+1)/2+1
}

func (n *Node) mayRemove(id uint64) error {
	m := n.store.Cluster().Member(typesID(id))
	switch {
	case n.cfg.NoStrictReconfig, m != nil && m.IsLearner:
		return nil
	case !n.store.Cluster().IsReadyToRemoveVotingMember(id):
		return errors.ErrNotEnoughStartedMembers
	case id != n.standing.id && n.transport.ActiveSince(id).IsZero():
		return nil // one that is down isn't part of the quorum
	case n.healthyVoters()-1 < 1+(len(n.store.Cluster().VotingMembers())-1)/2:
		return errors.ErrUnhealthy
	}
	return nil
}

// healthyVoters counts the voters that have been heard of for some time, this member among them.
func (n *Node) healthyVoters() (healthy int) {
	before := time.Now().Add(-healthyFor)
	for _, m := range n.store.Cluster().VotingMembers() {
		if uint64(m.ID) == n.standing.id {
			healthy++
			continue
		}
		if t := n.transport.ActiveSince(uint64(m.ID)); !t.IsZero() && !t.After(before) {
			healthy++
		}
	}
	return healthy
}
