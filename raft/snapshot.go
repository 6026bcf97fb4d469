package raft

import (
	"errors"
	"fmt"

	"github.com/raftctl/raftctl/raft/confchange"
	"github.com/raftctl/raftctl/raft/tracker"
	"github.com/raftctl/raftctl/raftpb"
)

// sendSnapshot sends a member the latest snapshot, and reports whether it did. Nothing more goes to
// the member until it answers or the application reports. A member that gave no sign of life gets
// none.
func (c *core) sendSnapshot(to uint64, p *tracker.Progress) (bool, error) {
	if !p.RecentActive {
		c.snapshotNotSent(to, SnapshotPeerInactive)
		return false, nil
	}
	snapshot, err := c.latestSnapshot()
	switch {
	case errors.Is(err, ErrSnapshotTemporarilyUnavailable):
		c.snapshotNotSent(to, SnapshotUnavailable)
		return false, nil
	case err != nil:
		return false, fmt.Errorf("raft: storage: snapshot: %w", err)
	case snapshot.IsEmpty():
		c.snapshotNotSent(to, SnapshotMissing)
		return false, fmt.Errorf("raft: member %x needs entry %d, which is compacted: %w",
			to, p.Next, ErrEmptySnapshot)
	}
	if err := c.reportSnapshot(to, snapshot.Metadata.ID(), p); err != nil {
		return false, err
	}
	p.BecomeSnapshot(snapshot.Metadata.Index)
	if c.on() {
		c.emit(ReplicationPaused{Peer: to, Progress: *p})
	}
	c.send(raftpb.Message{Type: raftpb.MsgSnap, To: to, Snapshot: snapshot})
	return true, nil
}

func (c *core) latestSnapshot() (*raftpb.Snapshot, error) {
	if s := c.log.unstable.snapshot; s != nil {
		return s, nil
	}
	s, err := c.log.storage.Snapshot()
	return &s, err
}

func (c *core) snapshotNotSent(to uint64, reason SnapshotReason) {
	if c.on() {
		c.emit(SnapshotNotSent{Peer: to, Reason: reason})
	}
}

// reportSnapshot tells the observer of a snapshot about to be sent.
func (c *core) reportSnapshot(to uint64, snapshot raftpb.EntryID, p *tracker.Progress) error {
	if !c.on() {
		return nil
	}
	first, err := c.log.firstIndex()
	if err != nil {
		return err
	}
	c.emit(SnapshotSent{
		Peer: to, First: first, Commit: c.log.committed, Snapshot: snapshot, Progress: *p,
	})
	return nil
}

// handleSnapshotStatus handles the application's word on a snapshot. The member is probed after the
// snapshot if it arrived, else where it was; in either case not before it gives a sign of life.
func (c *core) handleSnapshotStatus(m *raftpb.Message, p *tracker.Progress) {
	if p.State != tracker.StateSnapshot {
		return
	}
	if m.Reject {
		p.PendingSnapshot = 0
	}
	p.BecomeProbe()
	if c.on() {
		c.emit(SnapshotReported{Peer: m.From, Failed: m.Reject, Progress: *p})
	}
	p.MsgAppFlowPaused = true
}

// handleSnapshot replaces a follower's log by the leader's snapshot, unless the log is as good.
func (c *core) handleSnapshot(m *raftpb.Message) error {
	snapshot := m.Snapshot
	if snapshot == nil {
		snapshot = new(raftpb.Snapshot)
	}
	reason, restored, err := c.restore(m, snapshot)
	switch {
	case err != nil:
		return err
	case restored:
		c.send(raftpb.Message{Type: raftpb.MsgAppResp, To: m.From, Index: c.log.lastIndex()})
	default:
		if c.on() {
			c.emit(SnapshotIgnored{
				Commit:    c.log.committed,
				Snapshot:  snapshot.Metadata.ID(),
				ConfState: snapshot.Metadata.ConfState,
				Reason:    reason,
			})
		}
		c.send(raftpb.Message{Type: raftpb.MsgAppResp, To: m.From, Index: c.log.committed})
	}
	return nil
}

// restore replaces log and membership by a snapshot's, and reports whether it did, or why not.
func (c *core) restore(m *raftpb.Message, s *raftpb.Snapshot) (IgnoreReason, bool, error) {
	id := s.Metadata.ID()
	switch {
	case id.Index <= c.log.committed:
		return IgnoreOld, false, nil
	case !names(&s.Metadata.ConfState, c.id):
		return IgnoreNotMember, false, nil
	}
	found, err := c.log.has(id)
	if err != nil {
		return 0, false, err
	}
	if found {
		return IgnoreFastForwarded, false, c.fastForward(id)
	}
	// The membership is built, and found right, before anything is replaced.
	fresh := tracker.Tracker{
		MaxInflight:      c.trk.MaxInflight,
		MaxInflightBytes: c.trk.MaxInflightBytes,
	}
	changer := confchange.Changer{Tracker: &fresh, LastIndex: id.Index}
	result, err := confchange.Restore(changer, s.Metadata.ConfState)
	if err == nil {
		got := result.Config.ConfState()
		err = s.Metadata.ConfState.Equivalent(&got)
	}
	if err != nil {
		return 0, false, c.refuseWith(m, RefusedError{Reason: RefusedSnapshot, Err: err})
	}
	c.log.restore(s)
	c.trk = fresh
	if _, err := c.switchConfig(result); err != nil {
		return 0, false, err
	}
	if c.on() {
		c.emit(SnapshotRestored{Commit: c.log.committed, Last: id, Snapshot: id})
	}
	return 0, true, nil
}

// fastForward commits what a snapshot shows to be committed: the log has its last entry, so it has
// them all.
func (c *core) fastForward(id raftpb.EntryID) error {
	if c.on() {
		last, err := c.log.lastEntryID()
		if err != nil {
			return err
		}
		c.emit(SnapshotFastForwarded{Commit: c.log.committed, Last: last, Snapshot: id})
	}
	c.log.commitTo(id.Index)
	return nil
}

// names reports whether a membership has a member. LearnersNext are among VotersOutgoing.
func names(cs *raftpb.ConfState, id uint64) bool {
	for _, ids := range [][]uint64{cs.Voters, cs.Learners, cs.VotersOutgoing} {
		for _, other := range ids {
			if other == id {
				return true
			}
		}
	}
	return false
}
