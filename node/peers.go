package node

import (
	"encoding/json"
	"errors"

	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"

	"github.com/raftctl/raftctl/raftpb"
)

// changePeers has the transport follow a change of the membership.
func (n *Node) changePeers(cc *raftpb.ConfChange) error {
	if cc.NodeID == n.standing.id {
		return nil
	}
	if cc.Type == raftpb.ConfChangeRemoveNode {
		n.transport.RemovePeer(cc.NodeID)
		return nil
	}
	var m membership.ConfigChangeContext
	if err := json.Unmarshal(cc.Context, &m); err != nil {
		return err
	}
	switch {
	case m.IsPromote: // it has been a peer as a learner
		return nil
	case cc.Type == raftpb.ConfChangeUpdateNode:
		return n.transport.SetPeer(cc.NodeID, m.PeerURLs)
	default:
		return n.transport.AddPeer(cc.NodeID, m.PeerURLs)
	}
}

// resetPeers has the transport talk to the members that there are.
func (n *Node) resetPeers() error {
	var errs []error
	for _, id := range n.transport.Peers() {
		if n.store.Cluster().Member(typesID(id)) == nil {
			n.transport.RemovePeer(id)
		}
	}
	for _, m := range n.store.Cluster().Members() {
		if uint64(m.ID) != n.standing.id {
			errs = append(errs, n.transport.SetPeer(uint64(m.ID), m.PeerURLs))
		}
	}
	return errors.Join(errs...)
}
