package raft

import (
	"github.com/raftctl/raftctl/raftpb"
)

// propose appends proposed entries to the leader's log and sends them on.
func (c *core) propose(m *raftpb.Message) error {
	if len(m.Entries) == 0 {
		return c.refuse(m, RefusedEmpty)
	}
	if err := c.mayPropose(); err != nil {
		return err
	}
	entries, err := c.screen(m)
	if err != nil {
		return err
	}
	if err := c.take(entries); err != nil {
		return err
	}
	return c.broadcastAppend()
}

// proposeData is propose for one normal entry of this member's own.
func (c *core) proposeData(data []byte) error {
	if err := c.mayPropose(); err != nil {
		return err
	}
	entry := [1]raftpb.Entry{{Data: data}}
	if err := c.take(entry[:]); err != nil {
		return err
	}
	return c.broadcastAppend()
}

// mayPropose returns ErrProposalDropped while the leader takes no proposals.
func (c *core) mayPropose() error {
	switch {
	case c.trk.Members.Get(c.id) == nil:
		return c.dropProposal(DropRemoved)
	case c.transferee != None:
		// Else the log of the leader to be might never catch up.
		return c.dropProposal(DropTransferring)
	}
	return nil
}

// take appends entries unless too much is uncommitted already. The first proposal is taken whatever
// its size, and so are entries without payload, which the core itself depends on.
func (c *core) take(entries []raftpb.Entry) error {
	size, limit := payloadSize(entries), orNoLimit(c.cfg.MaxUncommittedEntriesSize)
	if c.uncommittedSize > 0 && size > 0 && size > limit-min(c.uncommittedSize, limit) {
		return c.dropProposal(DropTooLarge)
	}
	c.uncommittedSize += size
	c.appendEntries(entries)
	return nil
}

// appendEntries puts copies of entries at the end of the leader's log. The leader acknowledges them
// to itself like any follower: once they are on its disk.
func (c *core) appendEntries(entries []raftpb.Entry) {
	c.log.appendNew(entries, c.term)
	c.send(raftpb.Message{Type: raftpb.MsgAppResp, To: c.id, Index: c.log.lastIndex()})
}

// forwardProposal passes a proposal to the leader.
func (c *core) forwardProposal(m *raftpb.Message) error {
	switch {
	case c.lead == None:
		return c.dropProposal(DropNoLeader)
	case c.cfg.DisableProposalForwarding:
		return c.dropProposal(DropNotForwarding)
	}
	c.forward(m)
	return nil
}

// dropProposal tells the observer why a proposal is not taken, and returns ErrProposalDropped.
func (c *core) dropProposal(reason DropReason) error {
	if c.on() {
		c.emit(ProposalDropped{Reason: reason, Term: c.term, Lead: c.lead, To: c.transferee})
	}
	return ErrProposalDropped
}

// screen returns the entries of a proposal with those membership changes that can't be made now
// replaced by empty entries, so that others in the same proposal still count. It doesn't change the
// message.
func (c *core) screen(m *raftpb.Message) ([]raftpb.Entry, error) {
	entries, copied := m.Entries, false
	for i := range m.Entries {
		e := &m.Entries[i]
		if e.Type == raftpb.EntryNormal {
			continue
		}
		change, err := decodeConfChange(e)
		if err != nil {
			return nil, c.refuseWith(m, RefusedError{Reason: RefusedConfChange, Err: err})
		}
		if c.mayChange(change) {
			c.pendingConfIndex = c.log.lastIndex() + uint64(i) + 1
			continue
		}
		if !copied {
			entries, copied = append([]raftpb.Entry(nil), m.Entries...), true
		}
		entries[i] = raftpb.Entry{}
	}
	return entries, nil
}

// mayChange reports whether a membership change can be proposed now: one at a time, and in or out
// of a joint configuration as the present one demands. What matters is the membership when the
// change is applied; that it can't have changed by then is why there is only one at a time.
func (c *core) mayChange(change raftpb.ConfChangeV2) bool {
	joint, leaves := c.trk.Voters.IsJoint(), len(change.Changes) == 0
	var reason ConfChangeReason
	switch {
	case c.pendingConfIndex > c.log.applied:
		reason = ConfChangePending
	case joint && !leaves:
		reason = ConfChangeJoint
	case !joint && leaves:
		reason = ConfChangeNotJoint
	default:
		return true
	}
	if c.cfg.DisableConfChangeValidation {
		return true
	}
	if c.on() {
		c.emit(ConfChangeIgnored{
			Change:  change,
			Config:  c.trk.Config,
			Reason:  reason,
			Pending: c.pendingConfIndex,
			Applied: c.log.applied,
		})
	}
	return false
}
