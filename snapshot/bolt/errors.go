package bolt

import (
	"errors"
	"fmt"
)

// ErrNotBolt is returned for a file without any meta page: it is no bbolt database, or one whose
// first two pages were overwritten.
var ErrNotBolt = errors.New("not a bbolt database")

// CorruptError is a page that is not as bbolt writes it.
type CorruptError struct {
	Page uint64
	Off  int64 // of the first byte that is wrong, in bytes from the start of the file
	Err  error // what was found, and what was expected

	// Before and After bound the keys that are lost with the page: those from Before on that are less
	// than After. Nil: no bound.
	Before, After []byte
}

// Error formats the error as "page 7: offset 28672: flags 0x0, want a branch or a leaf".
func (e *CorruptError) Error() string {
	return fmt.Sprintf("page %d: offset %d: %v", e.Page, e.Off, e.Err)
}

// Unwrap returns Err.
func (e *CorruptError) Unwrap() error { return e.Err }

// ReadError is an error of the reader at a page.
type ReadError struct {
	Page uint64
	Off  int64 // of the first byte that can't be read, in bytes from the start of the file
	Err  error
}

// Error formats the error as "page 7: offset 28672: input/output error".
func (e *ReadError) Error() string {
	return fmt.Sprintf("page %d: offset %d: %v", e.Page, e.Off, e.Err)
}

// Unwrap returns Err.
func (e *ReadError) Unwrap() error { return e.Err }
