package raft

import (
	"fmt"

	"github.com/raftctl/raftctl/raftpb"
)

// maxAppliable returns the highest index that may be handed out to be applied. With allowUnstable
// false that is one known to be in this member's Storage, else one that is committed.
func (l *raftLog) maxAppliable(allowUnstable bool) uint64 {
	if allowUnstable {
		return l.committed
	}
	return min(l.committed, l.unstable.offset-1)
}

// hasNextCommitted reports whether there are entries to hand out. Not while a snapshot waits: it
// must be installed first.
func (l *raftLog) hasNextCommitted(allowUnstable bool) bool {
	return !l.applyingPaused && l.unstable.snapshot == nil &&
		l.applying < l.maxAppliable(allowUnstable)
}

// nextCommitted returns the entries to hand out.
func (l *raftLog) nextCommitted(allowUnstable bool) ([]raftpb.Entry, error) {
	if !l.hasNextCommitted(allowUnstable) {
		return nil, nil
	}
	// Invariant: not paused, so applyingSize < maxApplyingSize.
	room := uint64(NoLimit)
	if l.maxApplyingSize != NoLimit {
		room = l.maxApplyingSize - l.applyingSize
	}
	entries, err := l.slice(l.applying+1, l.maxAppliable(allowUnstable)+1, room)
	if err != nil {
		return nil, fmt.Errorf("raft: committed entries from %d: %w", l.applying+1, err)
	}
	return entries, nil
}

// acceptApplying records that entries, one at least, were handed out. No more are while they fill
// the bound, or while the next one didn't fit.
func (l *raftLog) acceptApplying(entries []raftpb.Entry, allowUnstable bool) {
	l.applying = entries[len(entries)-1].Index
	if l.maxApplyingSize != NoLimit {
		l.applyingSize += entriesSize(entries)
	}
	l.applyingPaused = l.applyingSize >= l.maxApplyingSize ||
		l.applying < l.maxAppliable(allowUnstable)
}

// appliedTo records that entries up to index are applied, of which size bytes count against the
// bound. Invariant: applied <= index <= committed, see the callers.
func (l *raftLog) appliedTo(index, size uint64) {
	l.applied = index
	l.applying = max(l.applying, index)
	l.applyingSize -= min(size, l.applyingSize)
	l.applyingPaused = l.applyingSize >= l.maxApplyingSize
}
