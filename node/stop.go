package node

import (
	"context"
	"errors"

	etcderrors "go.etcd.io/etcd/server/v3/etcdserver/errors"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
)

// Stop hands leadership to another member, if there is one, and stops. The context bounds both.
func (n *Node) Stop(ctx context.Context) error {
	if to := n.successor(); to != raftpb.None {
		if err := n.MoveLeader(ctx, to); err != nil {
			n.log.Warn("leadership was not handed over", "to", hex(to), "error", err)
		}
	}
	n.cancel(errStop)
	select {
	case <-n.done:
		return errors.Join(n.Err(), n.closeErr)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// successor returns the voter that has been heard of for longest, if this member leads.
func (n *Node) successor() (id uint64) {
	if !n.standing.leads() {
		return raftpb.None
	}
	for _, v := range n.store.Cluster().VotingMemberIDs() {
		since := n.transport.ActiveSince(uint64(v))
		if uint64(v) == n.standing.id || since.IsZero() {
			continue
		}
		if id == raftpb.None || since.Before(n.transport.ActiveSince(id)) {
			id = uint64(v)
		}
	}
	return id
}

// MoveLeader hands leadership to another voter, and returns when it has it.
func (n *Node) MoveLeader(ctx context.Context, to uint64) error {
	if m := n.store.Cluster().Member(typesID(to)); m == nil || m.IsLearner {
		return etcderrors.ErrBadLeaderTransferee
	}
	ctx, cancel := context.WithTimeout(ctx, n.cfg.ElectionTimeout)
	defer cancel()
	changed := n.LeaderChanged()
	if err := n.loop.do(ctx, func(core *raft.RawNode) error { return core.TransferLeader(to) }); err != nil {
		return err
	}
	for n.standing.lead.Load() != to {
		select {
		case <-changed:
			changed = n.LeaderChanged()
		case <-ctx.Done():
			return etcderrors.ErrTimeoutLeaderTransfer
		case <-n.ctx.Done():
			return etcderrors.ErrStopped
		}
	}
	return nil
}
