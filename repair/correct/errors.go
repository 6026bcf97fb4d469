package correct

import (
	"fmt"

	"github.com/raftctl/raftctl/wal"
)

// UnprovableError is returned when nothing proves what the bytes at a finding were.
type UnprovableError struct {
	Finding wal.Finding
	Fit     int    // how many candidates fit: 0, or more than one, or one that may fit by chance
	Reason  string // one line
}

// Error says where, and why nothing is proven.
func (e *UnprovableError) Error() string {
	return fmt.Sprintf("%v: %s: can't be corrected: %s", e.Finding.Pos, e.Finding.Class, e.Reason)
}
