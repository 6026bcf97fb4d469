package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/wal"
)

// The exit statuses, the same for every command. 2 is what a crash of the runtime gives.
const (
	statusOK          = 0
	statusDamage      = 1
	statusPartial     = 3
	statusError       = 6
	statusUsage       = 64
	statusInterrupted = 130
)

const exitCodesHelp = `Exit status of every command:

    0  healthy, or done
    1  damage or a difference was found
    3  not everything could be checked: the result is partial, and says what was left out
    4  in use by a running process
    5  refused: going on could lose committed data; the message names the flag that it takes
    6  I/O or internal error
   64  usage: wrong arguments, or a path that holds no log
  130  interrupted

A path that doesn't exist or can't be read is an I/O error (6). 2 is never used: it is what a crash
of the program itself gives. A verdict is never 0 by omission.`

// exitCodesLine ends every help text.
const exitCodesLine = `
Exit status: 0 healthy or done, 1 damage or a difference, 3 not everything checked, 4 in use,
5 refused, 6 I/O error, 64 usage, 130 interrupted. See 'raftctl help exit-codes'.
`

// silentError ends a command with a status of its own. The command has said why.
type silentError struct{ status int }

func (e silentError) Error() string { return fmt.Sprintf("exit status %d", e.status) }

// usageError is about how the command was called, not about what it found.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// usagef returns a usage error that ends with the command to type next.
func usagef(cmd *cobra.Command, format string, args ...any) error {
	return usageError{fmt.Errorf(format+"; see '%s --help'", append(args, cmd.CommandPath())...)}
}

// statusOf returns the exit status for what a command returned.
func statusOf(ctx context.Context, err error) int {
	var silent silentError
	var usage usageError
	switch {
	case err == nil, errors.Is(err, syscall.EPIPE): // whoever read the output has seen enough
		return statusOK
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return statusInterrupted
	case errors.As(err, &silent):
		return silent.status
	case errors.Is(err, wal.ErrTooManyEvents): // the log can't be summarised in bounded memory
		return statusPartial
	case errors.As(err, &usage), errors.Is(err, wal.ErrNoLog), errors.Is(err, wal.ErrEmpty),
		errors.Is(err, wal.ErrSeveralLogs):
		return statusUsage
	}
	return statusError
}

// oneLine returns the text of an error without line breaks.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
