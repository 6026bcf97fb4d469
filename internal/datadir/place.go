package datadir

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// State is what is known about a file or directory of a member.
type State uint8

// The states of a place.
const (
	Unknown    State = iota // nothing tells where it would lie
	Present                 // it is there
	Missing                 // it would lie there, and doesn't
	Unreadable              // it could not be looked at: see Place.Err
)

var states = [...]string{"unknown", "present", "missing", "unreadable"}

// String returns the state in a word.
func (s State) String() string { return states[s] }

// Place is where a file or directory of a member lies, and what is known about it.
type Place struct {
	State State
	FS    fs.FS  // the file system that Path is of; nil if the state is Unknown
	Path  string // slash-separated, as package fs spells names
	Name  string // as a user types it, in the form in which the path to the member was given
	Err   error  // why it is missing or unreadable; nil if it is present or unknown
}

// The errors of a path. A command branches on them.
var (
	// ErrNoLog is returned when a path exists and holds no log: a directory without segments, a file
	// that is neither a segment nor an archive.
	ErrNoLog = errors.New("no log")

	// ErrEmpty is returned when a file that should be a segment or an archive has no bytes.
	ErrEmpty = errors.New("empty file")

	// ErrNoSnap is returned when a directory is given as the data directory that goes with a log
	// elsewhere, and holds no snapshot directory.
	ErrNoSnap = errors.New("no member/snap")

	// ErrSeveralLogs is returned when a path holds more than one log and one must be chosen; the
	// error is a *SeveralLogsError.
	ErrSeveralLogs = errors.New("several logs")
)

// maxNamed is how many logs an error lists of those among which it asks to choose.
const maxNamed = 8

// SeveralLogsError is returned when a path holds more than one log. It is ErrSeveralLogs.
type SeveralLogsError struct {
	What  string   // what there are several of; empty: logs
	Names []string // their directories, each as it can be given in place of the path
}

// Error lists the logs, up to maxNamed.
func (e *SeveralLogsError) Error() string {
	names, more := e.Names, ""
	if len(names) > maxNamed {
		names, more = names[:maxNamed], ", …"
	}
	return fmt.Sprintf("%s (%d), name one: %s", e.Several(), len(e.Names), strings.Join(names, ", ")+more)
}

// Several says what there are several of.
func (e *SeveralLogsError) Several() string {
	if e.What == "" {
		return ErrSeveralLogs.Error()
	}
	return "several " + e.What
}

// Is reports whether target is ErrSeveralLogs.
func (e *SeveralLogsError) Is(target error) bool { return target == ErrSeveralLogs }

// UnfinishedError is returned when a member has no log but one in the making: etcd died while it
// created it, and nothing was ever acknowledged. It is ErrNoLog.
type UnfinishedError struct {
	Name string // the directory that was to become the log
}

// Error says what is there.
func (e *UnfinishedError) Error() string {
	return fmt.Sprintf("%v: only %s, which etcd left when it died while it created the log", ErrNoLog, e.Name)
}

// Is reports whether target is ErrNoLog.
func (e *UnfinishedError) Is(target error) bool { return target == ErrNoLog }

// bare strips operation and path from an error that is about to be told with the path.
func bare(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
