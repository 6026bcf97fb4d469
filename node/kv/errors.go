package kv

import (
	"errors"
	"fmt"

	"github.com/raftctl/raftctl/raftpb"
)

var (
	// ErrGap is returned when an entry doesn't follow the last one that was applied.
	ErrGap = errors.New("entry is missing")

	// ErrLocked is returned when another process has the database open.
	ErrLocked = errors.New("held by another process")

	// ErrFailed is returned by every call after the store has failed: a library of etcd's gave up in the
	// middle of something, or the database can't be written. What was committed before is intact.
	ErrFailed = errors.New("the state machine has failed")
)

// EntryError says that an entry can't be applied: no etcd of 3.7 could. The store is as it was before
// it, unless the error is [ErrFailed] too.
type EntryError struct {
	ID  raftpb.EntryID
	Err error
}

// Error formats the error as "entry 1930 (term 3): no request: …".
func (e *EntryError) Error() string { return fmt.Sprintf("entry %v: %v", e.ID, e.Err) }

// Unwrap returns Err.
func (e *EntryError) Unwrap() error { return e.Err }
