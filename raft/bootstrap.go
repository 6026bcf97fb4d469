package raft

import (
	"errors"

	"github.com/raftctl/raftctl/raftpb"
)

// Bootstrap starts a group with the given members, each of which must call it with the same ones on
// an empty Storage. The first entries of the log add the members; they are committed from the start
// and come in CommittedEntries. A Storage that begins with a snapshot of the membership is the
// better way.
func (n *RawNode) Bootstrap(peers []Peer) error {
	if len(peers) == 0 {
		return errors.New("raft: bootstrap needs at least one member")
	}
	if c := n.core; c.log.lastIndex() != 0 {
		return errors.New("raft: bootstrap needs an empty storage")
	}
	// The first Ready is to have a hard state, whatever it is.
	n.prevHardState = raftpb.HardState{}
	n.core.becomeFollower(1, None)
	entries := make([]raftpb.Entry, len(peers))
	for i, peer := range peers {
		change := raftpb.ConfChange{
			Type: raftpb.ConfChangeAddNode, NodeID: peer.ID, Context: peer.Context,
		}
		entries[i] = raftpb.Entry{
			Type:  raftpb.EntryConfChange,
			Term:  1,
			Index: uint64(i) + 1,
			Data:  change.Marshal(raftpb.FlavorPbgo),
		}
	}
	n.core.log.append(entries)
	n.core.log.commitTo(uint64(len(entries)))
	// The members are made known here, so that the member can campaign, and again when the entries
	// are applied, which changes nothing.
	for _, peer := range peers {
		change := raftpb.ConfChange{Type: raftpb.ConfChangeAddNode, NodeID: peer.ID}
		if _, err := n.core.applyConfChange(change.AsV2()); err != nil {
			return err
		}
	}
	return nil
}
