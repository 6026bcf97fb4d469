package snapshot

import (
	"errors"
	"fmt"
)

// ErrEmpty is returned when a file holds no snapshot: no bytes, no data, or a checksum of 0, which
// etcd takes for the same.
var ErrEmpty = errors.New("empty snapshot")

// CorruptError says that a file is no intact snapshot.
type CorruptError struct {
	File string // the file's name; empty when bytes were parsed
	Off  int64  // where, in bytes from the start of the file
	Err  error  // what was found, and what was expected
}

// Error formats the error as "NAME: offset 0: crc 1a2b3c4d, want 5e6f7a8b".
func (e *CorruptError) Error() string {
	if e.File == "" {
		return fmt.Sprintf("offset %d: %v", e.Off, e.Err)
	}
	return fmt.Sprintf("%s: offset %d: %v", e.File, e.Off, e.Err)
}

// Unwrap returns Err.
func (e *CorruptError) Unwrap() error { return e.Err }
