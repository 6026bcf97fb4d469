package raft

import (
	"sort"

	"github.com/raftctl/raftctl/raftpb"
)

// This file is the log matching property (paper, section 5.3): if two logs have an entry of the
// same index and term, they are equal up to it.

// firstConflict returns the index of the first of entries that the log doesn't have, because it has
// another one or ends before; 0 if it has them all.
func (l *raftLog) firstConflict(entries []raftpb.Entry) (uint64, error) {
	for i := range entries {
		if entries[i].Index > l.lastIndex() {
			return entries[i].Index, nil
		}
		found, err := l.has(entries[i].ID())
		if err != nil {
			return 0, err
		}
		if !found {
			return entries[i].Index, l.reportConflict(&entries[i])
		}
	}
	return 0, nil
}

// reportConflict tells the observer of an entry that the log has another one in place of.
func (l *raftLog) reportConflict(e *raftpb.Entry) error {
	if !l.notify.on() {
		return nil
	}
	term, err := l.termOrZero(e.Index)
	if err != nil {
		return err
	}
	l.notify.emit(ConflictFound{Index: e.Index, Term: term, Replace: e.Term})
	return nil
}

// lastPossibleMatch returns the highest position, of index at most index, where another log can
// match that has the given term at an index no lower: terms never fall within a log, so those with
// a higher term can't. It returns term 0 if that position is outside the log, where it can't be
// ruled out.
func (l *raftLog) lastPossibleMatch(index, term uint64) (raftpb.EntryID, error) {
	if index == 0 {
		return raftpb.EntryID{}, nil
	}
	if index > l.lastIndex() {
		return raftpb.EntryID{Index: index}, nil
	}
	first, err := l.firstIndex()
	if err != nil {
		return raftpb.EntryID{}, err
	}
	lo := max(first, 1) - 1 // the lowest index with a known term
	if index < lo {
		return raftpb.EntryID{Index: index}, nil
	}
	// The number of indexes in [lo, index] whose term is at most term.
	var failed error
	n := sort.Search(int(index-lo+1), func(i int) bool {
		t, err := l.term(lo + uint64(i))
		if err != nil && failed == nil {
			failed = err
		}
		return t > term
	})
	switch {
	case failed != nil:
		return raftpb.EntryID{}, failed
	case n == 0 && lo == 0:
		return raftpb.EntryID{}, nil
	case n == 0:
		return raftpb.EntryID{Index: lo - 1}, nil
	}
	match := lo + uint64(n) - 1
	if match == 0 {
		return raftpb.EntryID{}, nil
	}
	t, err := l.term(match)
	return raftpb.EntryID{Term: t, Index: match}, err
}

// upToDate reports whether a log that ends at last is at least as good as this one: a later term
// wins, then a longer log (paper, section 5.4.1).
func upToDate(last, than raftpb.EntryID) bool {
	return last.Term > than.Term || last.Term == than.Term && last.Index >= than.Index
}
