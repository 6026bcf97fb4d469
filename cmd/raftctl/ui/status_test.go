package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/wal"
)

// refused is an error as libraries return it where committed entries would be lost.
type refused bool

func (r refused) Error() string { return "entries 4..9 are committed" }
func (r refused) Refused() bool { return bool(r) }

func TestStatusOf(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want int
	}{
		{nil, StatusOK},
		{syscall.EPIPE, StatusOK},
		{ExitError{StatusDamage}, StatusDamage},
		{wal.ErrTooManyEvents, StatusPartial},
		{vfs.ErrLocked, StatusInUse},
		{wal.ErrLocked, StatusInUse},
		{refused(true), StatusRefused},
		{refused(false), StatusError},
		{UsageError{io.EOF}, StatusUsage},
		{wal.ErrNoLog, StatusUsage},
		{wal.ErrEmpty, StatusUsage},
		{wal.ErrSeveralLogs, StatusUsage},
		{io.ErrUnexpectedEOF, StatusError},
		{context.Canceled, StatusError}, // by nobody who asked for it
	} {
		for _, err := range []error{tc.err, wrapped(tc.err)} {
			if got := StatusOf(t.Context(), err); got != tc.want {
				t.Errorf("%v: got %d, want %d", err, got, tc.want)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := StatusOf(ctx, wrapped(ctx.Err())); got != StatusInterrupted {
		t.Errorf("interrupted: got %d, want %d", got, StatusInterrupted)
	}
}

func wrapped(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("member/wal: %w", errors.Join(err, nil))
}
