package raft

import (
	"errors"
	"fmt"

	"github.com/raftctl/raftctl/raftpb"
)

// raftLog is the log as the core sees it: what Storage has, and after it what is not known to be
// there.
//
// Invariants: applied <= applying <= committed, and committed <= lastIndex.
type raftLog struct {
	storage  Storage
	unstable unstable

	committed uint64 // the highest index known to be on a quorum
	applying  uint64 // the highest index handed out to be applied
	applied   uint64 // the highest index known to be applied

	// What is handed out and not yet applied is bounded: applyingSize of maxApplyingSize bytes.
	// applyingPaused is set while nothing more may be handed out.
	maxApplyingSize uint64
	applyingSize    uint64
	applyingPaused  bool

	notify notifier
}

// newLog returns the log that Storage holds, with what precedes its first entry committed and
// applied.
func newLog(storage Storage, maxApplyingSize uint64, notify notifier) (*raftLog, error) {
	first, err := storage.FirstIndex()
	if err != nil {
		return nil, fmt.Errorf("raft: storage: first index: %w", err)
	}
	last, err := storage.LastIndex()
	if err != nil {
		return nil, fmt.Errorf("raft: storage: last index: %w", err)
	}
	if first == 0 || last+1 < first {
		return nil, configError("Storage", "has first index %d and last index %d", first, last)
	}
	l := &raftLog{
		storage:         storage,
		unstable:        unstable{offset: last + 1, offsetInProgress: last + 1, notify: notify},
		maxApplyingSize: maxApplyingSize,
		notify:          notify,
	}
	l.committed, l.applying, l.applied = first-1, first-1, first-1
	return l, nil
}

// firstIndex returns the index of the first entry that isn't compacted.
func (l *raftLog) firstIndex() (uint64, error) {
	if s := l.unstable.snapshot; s != nil {
		return s.Metadata.Index + 1, nil
	}
	first, err := l.storage.FirstIndex()
	if err != nil {
		return 0, fmt.Errorf("raft: storage: first index: %w", err)
	}
	return first, nil
}

// lastIndex returns the index of the last entry.
func (l *raftLog) lastIndex() uint64 { return l.unstable.lastIndex() }

// isOutside reports whether err means that an entry is compacted or doesn't exist, rather than that
// Storage failed.
func isOutside(err error) bool {
	return errors.Is(err, ErrCompacted) || errors.Is(err, ErrUnavailable)
}

// term returns the term of an entry in [firstIndex-1, lastIndex]. ErrCompacted below,
// ErrUnavailable above.
func (l *raftLog) term(index uint64) (uint64, error) {
	if term, found := l.unstable.knows(index); found {
		return term, nil
	}
	first, err := l.firstIndex()
	switch {
	case err != nil:
		return 0, err
	case index+1 < first:
		return 0, ErrCompacted
	case index > l.lastIndex():
		return 0, ErrUnavailable
	}
	term, err := l.storage.Term(index)
	if err != nil && !isOutside(err) {
		return 0, fmt.Errorf("raft: storage: term of entry %d: %w", index, err)
	}
	return term, err
}

// termOrZero is term with 0 for what is outside the log.
func (l *raftLog) termOrZero(index uint64) (uint64, error) {
	term, err := l.term(index)
	if err != nil && isOutside(err) {
		return 0, nil
	}
	return term, err
}

// has reports whether the log has the entry.
func (l *raftLog) has(id raftpb.EntryID) (bool, error) {
	term, err := l.term(id.Index)
	if err != nil && isOutside(err) {
		return false, nil
	}
	return err == nil && term == id.Term, err
}

// lastEntryID returns the position of the last entry.
func (l *raftLog) lastEntryID() (raftpb.EntryID, error) {
	index := l.lastIndex()
	term, err := l.term(index)
	if err != nil {
		return raftpb.EntryID{}, fmt.Errorf("raft: last entry %d: %w", index, err)
	}
	return raftpb.EntryID{Term: term, Index: index}, nil
}

// entriesFrom returns the entries from lo to the end, limited to maxSize bytes, at least one if
// there is one.
func (l *raftLog) entriesFrom(lo, maxSize uint64) ([]raftpb.Entry, error) {
	if lo > l.lastIndex() {
		return nil, nil
	}
	return l.slice(lo, l.lastIndex()+1, maxSize)
}

// slice returns the entries [lo, hi), limited to maxSize bytes, at least one if lo < hi. hi must be
// at most lastIndex+1. ErrCompacted if lo is compacted.
func (l *raftLog) slice(lo, hi, maxSize uint64) ([]raftpb.Entry, error) {
	switch s := l.unstable.snapshot; {
	case lo >= hi:
		return nil, nil
	case lo >= l.unstable.offset:
		return limitSize(l.unstable.slice(lo, hi), maxSize), nil
	case s != nil && lo <= s.Metadata.Index:
		return nil, ErrCompacted
	}
	cut := min(hi, l.unstable.offset)
	entries, err := l.storage.Entries(lo, cut, maxSize)
	switch {
	case errors.Is(err, ErrCompacted):
		return nil, ErrCompacted
	case err == nil && len(entries) == 0:
		err = ErrUnavailable
	}
	if err != nil {
		return nil, fmt.Errorf("raft: storage: entries [%d,%d): %w", lo, cut, err)
	}
	if cut == hi || uint64(len(entries)) < cut-lo {
		return entries, nil
	}
	return l.appendUnstable(entries, hi, maxSize), nil
}

// appendUnstable appends to entries, which end where the unstable ones begin, as many of the latter
// as the total of maxSize bytes has room for.
func (l *raftLog) appendUnstable(entries []raftpb.Entry, hi, maxSize uint64) []raftpb.Entry {
	more := l.unstable.slice(l.unstable.offset, hi)
	if maxSize != NoLimit {
		size := entriesSize(entries)
		if size >= maxSize {
			return entries
		}
		more = limitSize(more, maxSize-size)
		if size+entriesSize(more) > maxSize {
			return entries // limitSize returns one entry even if that is too large
		}
	}
	both := make([]raftpb.Entry, 0, len(entries)+len(more))
	return append(append(both, entries...), more...)
}

// scan calls visit with the entries [lo, hi), a page of about pageSize bytes at a time, until it
// returns false.
func (l *raftLog) scan(lo, hi, pageSize uint64, visit func([]raftpb.Entry) bool) error {
	for lo < hi {
		page, err := l.slice(lo, hi, pageSize)
		if err != nil {
			return err
		}
		if !visit(page) {
			return nil
		}
		lo += uint64(len(page))
	}
	return nil
}

// append puts entries, whose indexes follow from each other, at their place in the log, in place of
// what was there and after.
func (l *raftLog) append(entries []raftpb.Entry) {
	if len(entries) == 0 {
		return
	}
	if first := entries[0].Index; first <= l.committed {
		// Callers have refused this. A committed entry may be applied, here or elsewhere: to go on
		// would make the members' states differ.
		panic(fmt.Sprintf("raft: entry %d would overwrite a committed one, commit is %d",
			first, l.committed))
	}
	l.unstable.truncateAndAppend(entries)
}

// commitTo raises the commit index. It never falls.
func (l *raftLog) commitTo(index uint64) {
	if index <= l.committed {
		return
	}
	if last := l.lastIndex(); index > last {
		// Callers have refused this. To go on would promise entries that don't exist.
		panic(fmt.Sprintf("raft: commit %d beyond the last entry %d", index, last))
	}
	l.committed = index
}

// restore replaces the log by a snapshot.
func (l *raftLog) restore(snapshot *raftpb.Snapshot) {
	if l.notify.on() {
		l.notify.emit(SnapshotRestoring{Log: l.status(), Snapshot: snapshot.Metadata.ID()})
	}
	l.committed = snapshot.Metadata.Index
	l.unstable.restore(snapshot)
}

// LogStatus is where a member's log stands.
type LogStatus struct {
	Committed, Applied, Applying uint64
	Offset                       uint64 // the first index that is not known to be in Storage
	OffsetInProgress             uint64 // the first index that was not handed out to be written
	Unstable                     int    // the entries from Offset on
	Snapshot                     uint64 // the index of a snapshot not known to be in Storage, or 0
}

// String formats the status as etcd's raft does.
func (s LogStatus) String() string {
	return fmt.Sprintf("committed=%d, applied=%d, applying=%d, unstable.offset=%d, "+
		"unstable.offsetInProgress=%d, len(unstable.Entries)=%d",
		s.Committed, s.Applied, s.Applying, s.Offset, s.OffsetInProgress, s.Unstable)
}

func (l *raftLog) status() LogStatus {
	s := LogStatus{
		Committed:        l.committed,
		Applied:          l.applied,
		Applying:         l.applying,
		Offset:           l.unstable.offset,
		OffsetInProgress: l.unstable.offsetInProgress,
		Unstable:         len(l.unstable.entries),
	}
	if l.unstable.snapshot != nil {
		s.Snapshot = l.unstable.snapshot.Metadata.Index
	}
	return s
}

// appendNew puts copies of entries at the end of the log, as entries of the given term.
func (l *raftLog) appendNew(entries []raftpb.Entry, term uint64) {
	u := &l.unstable
	next := l.lastIndex() + 1
	u.grow(len(entries), uint64(len(entries[0].Data)))
	for i := range entries {
		u.entries = append(u.entries, raftpb.Entry{
			Type: entries[i].Type, Term: term, Index: next + uint64(i), Data: entries[i].Data,
		})
	}
}
