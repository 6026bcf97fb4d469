package change

import (
	"errors"
	"fmt"
	"syscall"
)

// errNotDir is what a system says of a path that leads through a file.
var errNotDir error = syscall.ENOTDIR

// ErrNothing is returned when there is no change that could be undone.
var ErrNothing = errors.New("no change in place that isn't undone")

// RefusedError says why nothing is changed: going on could lose what was written.
type RefusedError struct{ Err error }

// Error returns the reason.
func (e *RefusedError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *RefusedError) Unwrap() error { return e.Err }

// Refused reports that this is a refusal, for the exit status.
func (e *RefusedError) Refused() bool { return true }

// UnfitError says why a log can't be changed in place. A result that lies elsewhere is possible.
type UnfitError struct {
	Path string
	Why  string
	Err  error // may be nil
}

// Error formats the error as "m1/member/wal: a disk is mounted there, and it can't get another name".
func (e *UnfitError) Error() string {
	if e.Err == nil {
		return e.Path + ": " + e.Why
	}
	return fmt.Sprintf("%s: %s: %v", e.Path, e.Why, e.Err)
}

// Unwrap returns what the file system says.
func (e *UnfitError) Unwrap() error { return e.Err }

// HalfDoneError says that an earlier change, or the undoing of one, was interrupted.
type HalfDoneError struct{ Change *Change }

// Error says which.
func (e *HalfDoneError) Error() string {
	what := "the change"
	if e.Change.State == HalfUndone {
		what = "the undoing of the change"
	}
	return fmt.Sprintf("%s of %s was interrupted; undo finishes that first", what, e.Change.Time.Format(timeLayout))
}

// Refused reports that this is a refusal, for the exit status.
func (e *HalfDoneError) Refused() bool { return true }

// AlteredError says that a file isn't what was recorded of it.
type AlteredError struct {
	File string
	Why  string
}

// Error formats the error as "wal.before-20261129T010203Z/0.wal: sha256 …, want …".
func (e *AlteredError) Error() string { return e.File + ": " + e.Why }

// OtherLogError says that the change that would be undone is one of another log than the one that was found.
type OtherLogError struct {
	Log     string // the folder that was found
	Changed string // the folder that was changed, as the machine called it then
}

// Error says which.
func (e *OtherLogError) Error() string {
	return fmt.Sprintf("%s: the last change was one of another log, which was %s then", e.Log, e.Changed)
}
