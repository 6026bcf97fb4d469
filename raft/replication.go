package raft

import (
	"github.com/raftctl/raftctl/raft/tracker"
	"github.com/raftctl/raftctl/raftpb"
)

// broadcastAppend sends every other member what it lacks, or the commit index if it lacks nothing.
func (c *core) broadcastAppend() error {
	for i := range c.trk.Members {
		member := &c.trk.Members[i]
		if member.ID == c.id {
			continue
		}
		if _, err := c.sendAppend(member.ID, &member.Progress, true); err != nil {
			return err
		}
	}
	return nil
}

// sendAppend sends a member one message with the entries that follow what it was sent, or a
// snapshot if they are compacted away. With evenEmpty a message goes even if it has no entries, to
// tell the commit index or to probe. It reports whether anything was sent.
func (c *core) sendAppend(to uint64, p *tracker.Progress, evenEmpty bool) (bool, error) {
	if p.IsPaused() {
		return false, nil
	}
	prev := raftpb.EntryID{Index: p.Next - 1}
	var err error
	if prev.Term, err = c.log.term(prev.Index); err != nil {
		if !isOutside(err) {
			return false, err
		}
		return c.sendSnapshot(to, p)
	}
	var entries []raftpb.Entry
	// With a full window a message may still go, but an empty one: if all on their way were lost,
	// its answer is what gets things going again.
	if p.State != tracker.StateReplicate || !p.Inflights.Full() {
		entries, err = c.log.entriesFrom(p.Next, c.cfg.MaxSizePerMsg)
	}
	switch {
	case err != nil && !isOutside(err):
		return false, err
	case len(entries) == 0 && !evenEmpty:
		return false, nil
	case err != nil:
		return c.sendSnapshot(to, p)
	}
	c.send(raftpb.Message{
		Type:    raftpb.MsgApp,
		To:      to,
		Index:   prev.Index,
		LogTerm: prev.Term,
		Entries: entries,
		Commit:  c.log.committed,
	})
	p.SentEntries(len(entries), payloadSize(entries))
	p.SentCommit = c.log.committed
	return true, nil
}

// handleAppendResponse handles a member's answer to entries or a snapshot.
func (c *core) handleAppendResponse(m *raftpb.Message, p *tracker.Progress) error {
	if !m.Reject && m.Index > c.log.lastIndex() {
		return c.refuseValue(m, RefusedAcked, m.Index, c.log.lastIndex())
	}
	p.RecentActive = true
	if m.Reject {
		return c.handleRejection(m, p)
	}
	first := uint64(0)
	if p.State == tracker.StateSnapshot {
		var err error
		if first, err = c.log.firstIndex(); err != nil {
			return err // before anything is changed: the answer counts as lost
		}
	}
	// An answer that brings nothing new still shows that a probed member is there.
	if !p.MaybeUpdate(m.Index) && (p.Match != m.Index || p.State != tracker.StateProbe) {
		return nil
	}
	c.resumeSending(m, p, first)
	return c.advanceMember(m.From, p)
}

// resumeSending brings the member's state up to date with its acknowledgement. first is the first
// index of this log.
func (c *core) resumeSending(m *raftpb.Message, p *tracker.Progress, first uint64) {
	switch p.State {
	case tracker.StateProbe:
		p.BecomeReplicate()
	case tracker.StateReplicate:
		p.Inflights.FreeLE(m.Index)
	case tracker.StateSnapshot:
		if p.Match+1 < first {
			return
		}
		// The member's log reaches this one, by the snapshot that was sent or by another: it can go
		// on from there.
		if c.on() {
			c.emit(ReplicationResumed{Peer: m.From, Progress: *p})
		}
		p.BecomeProbe()
		p.BecomeReplicate()
	}
}

// advanceMember does what a member's acknowledgement makes possible: commit, send it more, hand
// over to it.
func (c *core) advanceMember(from uint64, p *tracker.Progress) error {
	switch {
	case c.maybeCommit():
		if err := c.releasePendingReads(); err != nil {
			return err
		}
		if err := c.broadcastAppend(); err != nil {
			return err
		}
	case from != c.id && p.CanBumpCommit(c.log.committed):
		// The next heartbeat would tell it the commit index too; this is sooner.
		if _, err := c.sendAppend(from, p, true); err != nil {
			return err
		}
	}
	if from == c.id {
		return nil
	}
	// The window may have room for several messages now.
	for sent := true; sent; {
		var err error
		if sent, err = c.sendAppend(from, p, false); err != nil {
			return err
		}
	}
	if from == c.transferee && p.Match == c.log.lastIndex() {
		c.sendTimeoutNow(from, false)
	}
	return nil
}

// maybeCommit raises the leader's commit index to what a quorum has, and reports whether that was
// news.
//
// Only entries of the leader's own term are committed by counting: one of an earlier term may be on
// a quorum and still be overwritten (paper, section 5.4.2, figure 8). Those before termStart become
// committed with the first of its own.
func (c *core) maybeCommit() bool {
	index := c.trk.Committed()
	if index <= c.log.committed || index < c.termStart || index > c.log.lastIndex() {
		return false
	}
	c.log.commitTo(index)
	return true
}

// handleRejection looks for where the member's log matches. Both sides help to skip whole terms, so
// that there is at most one probe for each term: the member names a position where its own log may
// match, and the leader goes on down to where its own log has no higher term than that.
func (c *core) handleRejection(m *raftpb.Message, p *tracker.Progress) error {
	if c.on() {
		hint := raftpb.EntryID{Term: m.LogTerm, Index: m.RejectHint}
		c.emit(RejectionReceived{From: m.From, Index: m.Index, Hint: hint})
	}
	hint := m.RejectHint
	if m.LogTerm > 0 {
		match, err := c.log.lastPossibleMatch(m.RejectHint, m.LogTerm)
		if err != nil {
			return err
		}
		hint = match.Index
	}
	if !p.MaybeDecrTo(m.Index, hint) {
		return nil
	}
	if c.on() {
		c.emit(ProgressDecreased{Peer: m.From, Progress: *p})
	}
	if p.State == tracker.StateReplicate {
		p.BecomeProbe()
	}
	_, err := c.sendAppend(m.From, p, true)
	return err
}

// handleUnreachable handles the application's word that a message may not have arrived.
func (c *core) handleUnreachable(m *raftpb.Message, p *tracker.Progress) {
	if p.State == tracker.StateReplicate {
		p.BecomeProbe() // what is on its way is probably lost
	}
	if c.on() {
		c.emit(PeerUnreachable{Peer: m.From, Progress: *p})
	}
}

// handleAppend appends the leader's entries to a follower's log, if what precedes them is there.
func (c *core) handleAppend(m *raftpb.Message) error {
	if m.Index < c.log.committed {
		if err := c.checkCommitted(m); err != nil {
			return err
		}
		// Late. What is committed matches; say so, whatever was asked.
		c.send(raftpb.Message{Type: raftpb.MsgAppResp, To: m.From, Index: c.log.committed})
		return nil
	}
	found, err := c.log.has(raftpb.EntryID{Term: m.LogTerm, Index: m.Index})
	if err != nil {
		return err
	}
	switch {
	case !found && m.Index == c.log.committed:
		return c.refuseValue(m, RefusedConflict, m.Index, c.log.committed)
	case !found:
		return c.rejectAppend(m)
	}
	first, err := c.log.firstConflict(m.Entries)
	if err != nil {
		return err
	}
	if first != 0 {
		// Invariant: first > m.Index >= committed, so nothing committed is overwritten.
		c.log.append(m.Entries[first-m.Index-1:])
	}
	last := m.Index + uint64(len(m.Entries))
	c.log.commitTo(min(m.Commit, last))
	c.send(raftpb.Message{Type: raftpb.MsgAppResp, To: m.From, Index: last})
	return nil
}

// checkCommitted refuses a message whose preceding entry isn't the one that is committed at its
// index. A leader has all that is committed (paper, section 5.4.3), so one of the two logs is
// damaged. To go on would tell the leader that they match.
func (c *core) checkCommitted(m *raftpb.Message) error {
	term, err := c.log.term(m.Index)
	switch {
	case err != nil && isOutside(err):
		return nil // compacted: there is nothing left to compare
	case err != nil:
		return err
	case term != m.LogTerm:
		return c.refuseValue(m, RefusedConflict, m.Index, c.log.committed)
	}
	return nil
}

// rejectAppend refuses entries that this log has no place for, with a hint where it may match the
// leader's: there is no use in looking where its terms are higher than the leader's at a higher
// index.
func (c *core) rejectAppend(m *raftpb.Message) error {
	if c.on() {
		term, err := c.log.termOrZero(m.Index)
		if err != nil {
			return err
		}
		prev := raftpb.EntryID{Term: m.LogTerm, Index: m.Index}
		c.emit(AppendRejected{From: m.From, Prev: prev, Term: term})
	}
	hint, err := c.log.lastPossibleMatch(min(m.Index, c.log.lastIndex()), m.LogTerm)
	if err != nil {
		return err
	}
	c.send(raftpb.Message{
		Type:       raftpb.MsgAppResp,
		To:         m.From,
		Index:      m.Index,
		Reject:     true,
		RejectHint: hint.Index,
		LogTerm:    hint.Term,
	})
	return nil
}
