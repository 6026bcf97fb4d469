package node

import (
	"encoding/json"
	"fmt"
	"slices"

	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"

	"github.com/raftctl/raftctl/raftpb"
)

// forceNew makes this member all of its cluster, before the member starts: what isn't committed is dropped,
// and the log goes on with the removal of each other member, committed at once. It returns the hard state
// that the log has then.
func (n *Node) forceNew(r *replay, state raftpb.HardState) (raftpb.HardState, error) {
	state.Commit = max(state.Commit, r.store.Applied().Index)
	if err := r.commit(state.Commit); err != nil {
		return state, err
	}
	last := r.applied()
	if last.Index < state.Commit { // the log is too short: see replay.finish
		return state, nil
	}
	dropped := len(r.open)
	r.open = nil
	changes, err := n.aloneChanges()
	if err != nil {
		return state, err
	}
	for i, cc := range changes {
		r.open = append(r.open, raftpb.Entry{
			Type: raftpb.EntryConfChange, Term: state.Term, Index: last.Index + uint64(i) + 1,
			Data: cc.Marshal(n.cfg.flavor()),
		})
	}
	n.log.Warn("forced this member to be all of its cluster", "entries_dropped", dropped, "changes", len(changes))
	if len(changes) == 0 {
		return state, nil
	}
	state.Commit += uint64(len(changes))
	return state, n.wal.Append(state, r.open)
}

// aloneChanges are the changes that make this member the only voter: itself first, since there must always
// be one.
func (n *Node) aloneChanges() (changes []raftpb.ConfChange, err error) {
	self, cs := n.standing.id, n.store.ConfState()
	switch {
	case slices.Contains(cs.Voters, self):
	case slices.Contains(cs.Learners, self):
		promoted := membership.ConfigChangeContext{Member: membership.Member{ID: typesID(self)}, IsPromote: true}
		context, err := json.Marshal(promoted)
		if err != nil {
			return nil, err
		}
		changes = append(changes, raftpb.ConfChange{
			Type: raftpb.ConfChangeAddNode, NodeID: self, Context: context,
		})
	default:
		return nil, fmt.Errorf("member %s can't be forced to be a cluster: it is no member of the one of its log", hex(self))
	}
	others := slices.Concat(cs.Voters, cs.Learners)
	slices.Sort(others)
	for _, id := range slices.Compact(others) {
		if id != self {
			changes = append(changes, raftpb.ConfChange{Type: raftpb.ConfChangeRemoveNode, NodeID: id})
		}
	}
	return changes, nil
}
