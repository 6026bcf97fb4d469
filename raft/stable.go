package raft

import "github.com/raftctl/raftctl/raftpb"

// appendDone handles the reply that all handed out up to some Ready is in Storage.
func (c *core) appendDone(m *raftpb.Message) error {
	if err := c.checkAppendDone(m); err != nil {
		return err
	}
	if m.Index != 0 {
		c.log.unstable.stableTo(raftpb.EntryID{Term: m.LogTerm, Index: m.Index})
	}
	if m.Snapshot == nil {
		return nil
	}
	return c.snapshotDone(m.Snapshot)
}

// lateAppendDone handles such a reply when the term has changed since. Its entries may have been
// replaced, and even been put back, in the meantime, with writes of both still under way, so that
// what Storage has of them can't be told: they count as stable when a reply of this term says so.
// Every change of term has one, as it is written too. A snapshot stands in any term.
func (c *core) lateAppendDone(m *raftpb.Message) error {
	if err := c.checkAppendDone(m); err != nil {
		return err
	}
	if m.Index != 0 && c.on() {
		c.emit(LowerTermAppendIgnored{Term: c.term, TheirTerm: m.Term})
	}
	if m.Snapshot == nil {
		return nil
	}
	return c.snapshotDone(m.Snapshot)
}

// checkAppendDone refuses a reply about what was never handed out.
func (c *core) checkAppendDone(m *raftpb.Message) error {
	u := &c.log.unstable
	if term, found := u.term(m.Index); found && term == m.LogTerm && m.Index >= u.offsetInProgress {
		return c.refuseValue(m, RefusedStorageReply, m.Index, u.offsetInProgress)
	}
	if m.Snapshot == nil {
		return nil
	}
	index := m.Snapshot.Metadata.Index
	waiting := u.snapshot != nil && u.snapshot.Metadata.Index == index && !u.snapshotInProgress
	if waiting || index > c.log.committed {
		return c.refuseValue(m, RefusedStorageReply, index, c.log.committed)
	}
	return nil
}

// snapshotDone records that a snapshot is installed.
func (c *core) snapshotDone(s *raftpb.Snapshot) error {
	c.log.unstable.stableSnapTo(s.Metadata.Index)
	return c.appliedTo(s.Metadata.Index, 0)
}

// applyDone handles the reply that committed entries are applied.
func (c *core) applyDone(m *raftpb.Message) error {
	if len(m.Entries) == 0 {
		return nil
	}
	index := m.Entries[len(m.Entries)-1].Index
	if index > c.log.applying {
		return c.refuseValue(m, RefusedStorageReply, index, c.log.applying)
	}
	var size uint64
	if c.log.maxApplyingSize != NoLimit {
		size = entriesSize(m.Entries)
	}
	err := c.appliedTo(index, size)
	// Invariant: uncommittedSize may be too low, when entries of earlier terms are applied, never
	// too high.
	c.uncommittedSize -= min(payloadSize(m.Entries), c.uncommittedSize)
	return err
}

// appliedTo records that entries up to index are applied, which size bytes of entries were handed
// out for.
func (c *core) appliedTo(index, size uint64) error {
	c.log.appliedTo(max(index, c.log.applied), size)
	return c.leaveJoint()
}
