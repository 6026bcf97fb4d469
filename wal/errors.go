package wal

import (
	"errors"
	"fmt"

	"github.com/raftctl/raftctl/internal/datadir"
)

var (
	// ErrTorn is returned when a log ends in an incomplete write: the machine or the process went
	// down before the write was acknowledged. Nothing that anybody was promised is missing.
	ErrTorn = errors.New("incomplete last write")

	// ErrNoRecord is returned when a record is asked for at a place where none begins.
	ErrNoRecord = errors.New("no record begins there")

	// ErrNoLog is returned when a path exists and holds no log: a directory without segments, a
	// file that is neither a segment nor an archive.
	ErrNoLog = datadir.ErrNoLog

	// ErrEmpty is returned when a file that should be a segment or an archive has no bytes.
	ErrEmpty = datadir.ErrEmpty

	// ErrSeveralLogs is returned when a path holds more than one log and one must be chosen.
	ErrSeveralLogs = datadir.ErrSeveralLogs
)

// CorruptError is any end of a segment that is neither clean nor torn.
type CorruptError struct {
	File string // the segment's name
	Off  int64  // where the first byte lies that no intact record accounts for
	Err  error  // what was found and what was expected
}

// Error formats the error as "<file>: offset 4096: crc 1a2b3c4d, want 5e6f7a8b".
func (e *CorruptError) Error() string {
	return fmt.Sprintf("%s: offset %d: %v", e.File, e.Off, e.Err)
}

// Unwrap returns Err.
func (e *CorruptError) Unwrap() error { return e.Err }
