package node

import (
	"errors"
	"fmt"
)

// ErrStopped is returned by what needs a running member, once it is one no more.
var ErrStopped = errors.New("the member has stopped")

// ErrRemoved is why a member stops that was removed from its cluster.
var ErrRemoved = errors.New("was removed from the cluster")

// HelpError says why a member can't start, or go on, and what the operator can do.
type HelpError struct {
	Err  error
	Help string // a command, or what to read
}

// Error formats the error as "CAUSE: HELP".
func (e *HelpError) Error() string { return fmt.Sprintf("%v: %s", e.Err, e.Help) }

// Unwrap returns the cause.
func (e *HelpError) Unwrap() error { return e.Err }

// withDoctor adds the command that looks at a directory. It returns nil for nil.
func withDoctor(dir string, err error) error {
	if err == nil {
		return nil
	}
	return &HelpError{Err: err, Help: "see raftctl doctor " + dir}
}
