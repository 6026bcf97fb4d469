package raft

import "github.com/raftctl/raftctl/raftpb"

// maxReal is a term and an index that no group will reach: a new entry every nanosecond would take
// over a century. Messages beyond are refused, so that adding to a term or index never overflows.
const maxReal = 1 << 62

// check refuses messages that no correct member sends. What it lets through can be stepped in any
// state without harm to this member's invariants.
func (c *core) check(m *raftpb.Message) error {
	switch {
	case m.Type < raftpb.MsgHup || m.Type > raftpb.MsgForgetLeader:
		return c.refuse(m, RefusedType)
	case m.Term > maxReal:
		return c.refuse(m, RefusedTerm)
	case raftpb.IsLocalMsgTarget(m.From):
		return c.checkLocal(m)
	}
	switch m.Type {
	case raftpb.MsgProp:
		// Those passed on carry no term. An empty one is up to the leader.
		if m.Term != 0 {
			return c.refuse(m, RefusedTerm)
		}
	case raftpb.MsgReadIndex:
		switch {
		case m.Term != 0:
			return c.refuse(m, RefusedTerm)
		case len(m.Entries) == 0:
			return c.refuse(m, RefusedEmpty)
		}
	case raftpb.MsgTransferLeader, raftpb.MsgForgetLeader:
	case raftpb.MsgAppResp, raftpb.MsgVoteResp, raftpb.MsgPreVoteResp:
		return c.checkBetween(m, true)
	default:
		return c.checkBetween(m, false)
	}
	return nil
}

// checkBetween checks a message between members, with selfOK one that a member may address to
// itself.
func (c *core) checkBetween(m *raftpb.Message, selfOK bool) error {
	switch {
	case m.From == None || (m.From == c.id && !selfOK):
		return c.refuse(m, RefusedSender)
	case m.Term == 0:
		return c.refuse(m, RefusedNoTerm)
	case m.Index > maxReal:
		return c.refuse(m, RefusedIndex)
	case m.Type == raftpb.MsgApp:
		return c.checkAppend(m)
	case m.Type == raftpb.MsgSnap && m.Snapshot != nil && m.Snapshot.Metadata.Index > maxReal:
		return c.refuse(m, RefusedIndex)
	}
	return nil
}

// checkAppend checks that the entries follow from each other and from what precedes them, and that
// none is of a later term than the leader's.
func (c *core) checkAppend(m *raftpb.Message) error {
	term, index := m.LogTerm, m.Index
	for i := range m.Entries {
		e := &m.Entries[i]
		if e.Index != index+1 || e.Term < term {
			return c.refuse(m, RefusedEntries)
		}
		term, index = e.Term, e.Index
	}
	if term > m.Term {
		return c.refuse(m, RefusedEntries)
	}
	return nil
}

// checkLocal checks a message of this member's storage threads. Whether the work was given out is
// checked where the reply is handled.
func (c *core) checkLocal(m *raftpb.Message) error {
	switch m.Type {
	case raftpb.MsgStorageAppendResp, raftpb.MsgStorageApplyResp:
		return nil
	}
	return c.refuse(m, RefusedSender)
}

// refuse tells the observer that a message is refused, and returns the error that says so.
func (c *core) refuse(m *raftpb.Message, reason Refusal) error {
	return c.refuseWith(m, RefusedError{Reason: reason})
}

// refuseValue is refuse for a value that was held against another.
func (c *core) refuseValue(m *raftpb.Message, reason Refusal, got, limit uint64) error {
	return c.refuseWith(m, RefusedError{Reason: reason, Got: got, Limit: limit})
}

func (c *core) refuseWith(m *raftpb.Message, err RefusedError) error {
	err.Type, err.From = m.Type, m.From
	if c.on() {
		c.emit(MessageRefused{Err: &err})
	}
	return &err
}
