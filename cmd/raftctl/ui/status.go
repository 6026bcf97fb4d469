package ui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/snapshot/database"
	"github.com/raftctl/raftctl/wal"
)

// The exit statuses, the same for every command. 2 is what a crash of the runtime gives.
const (
	StatusOK          = 0
	StatusDamage      = 1
	StatusPartial     = 3
	StatusInUse       = 4
	StatusRefused     = 5
	StatusError       = 6
	StatusUsage       = 64
	StatusInterrupted = 130
)

// ExitError ends a command with a status of its own. The command has said why.
type ExitError struct{ Status int }

func (e ExitError) Error() string { return fmt.Sprintf("exit status %d", e.Status) }

// UsageError is about how a command was called, not about what it found.
type UsageError struct{ Err error }

func (e UsageError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e UsageError) Unwrap() error { return e.Err }

// Usagef returns a usage error that ends with the command to type next.
func Usagef(cmd *cobra.Command, format string, args ...any) error {
	return UsageError{fmt.Errorf(format+"; see '%s --help'", append(args, cmd.CommandPath())...)}
}

// refusal is implemented by the errors with which a library refuses to go on.
type refusal interface {
	error
	// Refused reports whether going on could lose committed data.
	Refused() bool
}

// statuses tells which error gives which status. The first rule that holds counts; an error that
// none holds for is StatusError.
var statuses = []struct {
	status int
	holds  func(error) bool
}{
	{StatusOK, is(syscall.EPIPE)}, // whoever read the output has seen enough
	{StatusRefused, func(err error) bool {
		r, ok := errors.AsType[refusal](err)
		return ok && r.Refused()
	}},
	{StatusInUse, is(vfs.ErrLocked, kv.ErrLocked)},
	{StatusPartial, is(wal.ErrTooManyEvents)}, // the log can't be summarised in bounded memory
	{StatusUsage, func(err error) bool {
		_, ok := errors.AsType[UsageError](err)
		return ok
	}},
	{StatusUsage, is(datadir.ErrNoLog, datadir.ErrNoState, datadir.ErrEmpty, datadir.ErrSeveralLogs)},
	{StatusDamage, database.IsDamage},
}

func is(targets ...error) func(error) bool {
	return func(err error) bool {
		for _, target := range targets {
			if errors.Is(err, target) {
				return true
			}
		}
		return false
	}
}

// StatusOf returns the exit status for what a command returned.
func StatusOf(ctx context.Context, err error) int {
	if err == nil {
		return StatusOK
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return StatusInterrupted
	}
	if exit, ok := errors.AsType[ExitError](err); ok {
		return exit.Status
	}
	for _, s := range statuses {
		if s.holds(err) {
			return s.status
		}
	}
	return StatusError
}

// OneLine returns the text of an error without line breaks, and nothing in it that can act on a terminal.
func OneLine(err error) string { return Printable(strings.Join(strings.Fields(err.Error()), " ")) }
