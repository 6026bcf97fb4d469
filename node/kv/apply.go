package kv

import (
	"errors"
	"fmt"
	"time"

	"github.com/raftctl/raftctl/raftpb"
)

// slowApply is after how long etcd's applier warns of a slow request. 0 would make it write out each
// request first.
const slowApply = time.Hour

// Apply applies entries in their order, and returns the last one that is applied then. Entries that the
// database has are passed over. Results go to those who wait for them.
//
// The error is an [*EntryError] at an entry that can't be applied; those before it are. Entries may alias
// a buffer: what is kept of them is copied.
func (s *Store) Apply(entries []raftpb.Entry) (applied raftpb.EntryID, err error) {
	err = s.failure.guard(func() error {
		for i := range entries {
			if err := s.applyEntry(&entries[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return s.Applied(), err
}

func (s *Store) applyEntry(e *raftpb.Entry) error {
	id, before := raftpb.EntryID{Term: e.Term, Index: e.Index}, s.Applied()
	switch {
	case e.Index <= before.Index:
		return nil
	case e.Index != before.Index+1:
		return &EntryError{id, fmt.Errorf("%w: the last one applied is %d", ErrGap, before.Index)}
	}
	if err := s.failure.call(func() error { return s.applyEntries(e) }); err != nil {
		return &EntryError{id, err}
	}
	s.setApplied(id)
	return s.failure.get()
}

// applyEntries applies an entry. It has the name that etcd's verification, which ETCD_VERIFY=all turns on,
// looks for in the stack of what changes the database.
func (s *Store) applyEntries(e *raftpb.Entry) (err error) {
	s.status.index.Store(e.Index)
	s.status.term.Store(e.Term)
	s.index.SetConsistentApplyingIndex(e.Index, e.Term)
	switch e.Type {
	case raftpb.EntryNormal:
		err = s.applyNormal(e)
	case raftpb.EntryConfChange:
		err = s.applyConfChange(e)
	default:
		err = fmt.Errorf("%w of type %d", errUnknown, e.Type)
	}
	if err != nil {
		return err
	}
	if s.index.ConsistentIndex() < e.Index {
		// Not every entry opens a transaction. This one changes nothing but the index.
		tx := s.backend.BatchTx()
		tx.LockInsideApply()
		tx.Unlock()
	}
	return nil
}

// errUnknown is the error of what etcd 3.7 doesn't know, and would panic on.
var errUnknown = errors.New("unknown entry")
