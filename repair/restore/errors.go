package restore

import (
	"fmt"

	"github.com/raftctl/raftctl/snapshot/database"
)

// RefusedError says why a restore is refused: going on could lose what was written, or bring a database
// that etcd doesn't start from.
type RefusedError struct{ Err error }

// Error returns the reason.
func (e *RefusedError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *RefusedError) Unwrap() error { return e.Err }

// Refused reports that this is a refusal, for the exit status.
func (e *RefusedError) Refused() bool { return true }

func refusef(format string, args ...any) error { return &RefusedError{fmt.Errorf(format, args...)} }

// DamageError says what is wrong with the database that should be restored.
type DamageError struct{ Err error }

// Error returns what is wrong.
func (e *DamageError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e *DamageError) Unwrap() error { return e.Err }

func damagef(format string, args ...any) error { return &DamageError{fmt.Errorf(format, args...)} }

// damage makes an error about what a database holds a *DamageError, and leaves another as it is.
func damage(err error) error {
	if err == nil || !database.IsDamage(err) {
		return err
	}
	return &DamageError{err}
}
