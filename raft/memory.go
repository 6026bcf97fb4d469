package raft

import (
	"fmt"
	"sync"

	"github.com/raftctl/raftctl/raftpb"
)

// MemoryStorage is a Storage in memory. It may be used by several goroutines. Applications that
// keep their log on disk write there first, and here for the core to read.
type MemoryStorage struct {
	mu        sync.Mutex
	hardState raftpb.HardState
	snapshot  raftpb.Snapshot
	compacted raftpb.EntryID // the last entry before entries
	// entries are those after compacted. Slices of them are handed out, so they are never
	// overwritten: what follows a cut goes into a new array.
	entries []raftpb.Entry
	dropped int // entries compacted away that still occupy the array
}

// maxSpareEntries bounds the room for entries to come that a compaction leaves.
const maxSpareEntries = 4096

// NewMemoryStorage returns an empty storage: no membership, no entries, first index 1.
func NewMemoryStorage() *MemoryStorage { return &MemoryStorage{} }

// InitialState returns the hard state and the membership as of the snapshot.
func (s *MemoryStorage) InitialState() (raftpb.HardState, raftpb.ConfState, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hardState, s.snapshot.Metadata.ConfState, nil
}

// SetHardState replaces the hard state.
func (s *MemoryStorage) SetHardState(state raftpb.HardState) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hardState = state
	return nil
}

// Entries returns the entries [lo, hi), limited to maxSize bytes, see [Storage].
func (s *MemoryStorage) Entries(lo, hi, maxSize uint64) ([]raftpb.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case lo <= s.compacted.Index:
		return nil, ErrCompacted
	case lo > hi:
		return nil, fmt.Errorf("entries [%d,%d): %w", lo, hi, ErrUnavailable)
	case hi > s.lastIndex()+1 || len(s.entries) == 0:
		return nil, fmt.Errorf("entries [%d,%d), last is %d: %w",
			lo, hi, s.lastIndex(), ErrUnavailable)
	}
	base := s.compacted.Index + 1
	return limitSize(s.entries[lo-base:hi-base], maxSize), nil
}

// Term returns the term of an entry, or of the last one that was compacted away.
func (s *MemoryStorage) Term(index uint64) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.term(index)
}

func (s *MemoryStorage) term(index uint64) (uint64, error) {
	switch {
	case index < s.compacted.Index:
		return 0, ErrCompacted
	case index == s.compacted.Index:
		return s.compacted.Term, nil
	case index > s.lastIndex():
		return 0, ErrUnavailable
	}
	return s.entries[index-s.compacted.Index-1].Term, nil
}

// LastIndex returns the index of the last entry.
func (s *MemoryStorage) LastIndex() (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lastIndex(), nil
}

func (s *MemoryStorage) lastIndex() uint64 { return s.compacted.Index + uint64(len(s.entries)) }

// FirstIndex returns the index of the first entry that isn't compacted.
func (s *MemoryStorage) FirstIndex() (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.compacted.Index + 1, nil
}

// Snapshot returns the latest snapshot, an empty one before there is any.
func (s *MemoryStorage) Snapshot() (raftpb.Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.snapshot, nil
}

// ApplySnapshot replaces everything but the hard state. ErrSnapOutOfDate if there is a snapshot
// that is as new. One at index 0, which only sets the membership, may follow another such.
func (s *MemoryStorage) ApplySnapshot(snapshot raftpb.Snapshot) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	have, got := s.snapshot.Metadata.Index, snapshot.Metadata.Index
	if have != 0 && have >= got {
		return fmt.Errorf("apply snapshot %d, have %d: %w", got, have, ErrSnapOutOfDate)
	}
	s.snapshot = snapshot
	s.compacted = snapshot.Metadata.ID()
	s.entries, s.dropped = nil, 0
	return nil
}

// CreateSnapshot records a snapshot of the state after index, and returns it. A nil membership
// leaves that of the last snapshot. The log stays as it is, see Compact. ErrSnapOutOfDate if the
// last snapshot is as new, ErrCompacted or ErrUnavailable if the log doesn't have the entry.
func (s *MemoryStorage) CreateSnapshot(
	index uint64, cs *raftpb.ConfState, data []byte,
) (raftpb.Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	term, err := s.term(index)
	if have := s.snapshot.Metadata.Index; index <= have {
		err = fmt.Errorf("have %d: %w", have, ErrSnapOutOfDate)
	}
	if err != nil {
		return raftpb.Snapshot{}, fmt.Errorf("create snapshot %d: %w", index, err)
	}
	s.snapshot.Metadata.Index, s.snapshot.Metadata.Term = index, term
	if cs != nil {
		s.snapshot.Metadata.ConfState = *cs
	}
	s.snapshot.Data = data
	return s.snapshot, nil
}

// Compact drops the entries up to and including index. ErrCompacted if they are gone already,
// ErrUnavailable beyond the last.
func (s *MemoryStorage) Compact(index uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if index <= s.compacted.Index {
		return ErrCompacted
	}
	term, err := s.term(index)
	if err != nil {
		return fmt.Errorf("compact to %d, last is %d: %w", index, s.lastIndex(), err)
	}
	n := int(index - s.compacted.Index)
	s.compacted = raftpb.EntryID{Term: term, Index: index}
	s.entries, s.dropped = s.entries[n:], s.dropped+n
	if s.dropped > len(s.entries) {
		// The dropped half of the array keeps its payloads alive. Copying what is left only when
		// it is the smaller half costs a constant per entry. As many may come as have gone.
		room := make([]raftpb.Entry, 0, len(s.entries)+min(s.dropped/2, maxSpareEntries))
		s.entries, s.dropped = append(room, s.entries...), 0
	}
	return nil
}

// Append adds entries, whose indexes must follow from each other, in place of any that it has at
// their indexes and after. Those compacted away already are passed over. ErrUnavailable if entries
// between its last and the first of these are missing.
func (s *MemoryStorage) Append(entries []raftpb.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(entries) == 0 {
		return nil
	}
	first := s.compacted.Index + 1
	if got := entries[0].Index; got < first {
		entries = entries[min(first-got, uint64(len(entries))):]
		if len(entries) == 0 {
			return nil
		}
	}
	keep := entries[0].Index - first
	switch {
	case keep > uint64(len(s.entries)):
		return fmt.Errorf("append entry %d, last is %d: %w",
			entries[0].Index, s.lastIndex(), ErrUnavailable)
	case keep < uint64(len(s.entries)):
		s.entries = append(s.entries[:keep:keep], entries...)
		s.dropped = 0
	default:
		s.entries = append(s.entries, entries...)
	}
	return nil
}
