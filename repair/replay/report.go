package replay

import (
	"fmt"
	"time"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/raftpb"
)

// Report says what a replay did.
type Report struct {
	Before State // of the database as it was
	After  State

	// Ops are the entries that were applied, by what they ask for; those about members and versions, which
	// change nothing, are counted in Ignored too.
	Ops     []decode.OpCount
	Ignored uint64

	// Deletions are those that a [BeforeDelete] chose from, at most [MaxDeletions] of the last ones; the last
	// of all was chosen. Others counts the ones before.
	Deletions []Deletion
	Others    int
}

// State is how far a database has come.
type State struct {
	Applied   raftpb.EntryID
	Revision  int64
	Compacted int64 // the revision up to which; below 1 for none
}

// MaxDeletions bounds how many deletions a report lists.
const MaxDeletions = 10

// Deletion is an entry that deleted keys.
type Deletion struct {
	ID       raftpb.EntryID
	Op       decode.Op
	Revision int64
	Keys     int    // how many of the keys that were asked for
	Key      []byte // the first of these
}

// TargetError says that a target can't be reached with what there is.
type TargetError struct {
	Target Target
	Why    string

	// Uncommitted says that the log goes on with entries that are not known to be committed.
	Uncommitted bool
}

// Error formats the error as "index=900: the log ends at entry 880".
func (e *TargetError) Error() string { return fmt.Sprintf("%v: %s", e.Target, e.Why) }

// SlackError says that it isn't known well enough which entry was the last at a time.
type SlackError struct {
	Target Target
	Moment decode.Moment
	Slack  time.Duration
}

// Error formats the error as "time=2026-11-28T21:38:26Z: the last entry by then is one of 811 to 815,
// written within 3m10s, and 1m0s is allowed".
func (e *SlackError) Error() string {
	within := "at times that the log doesn't tell"
	if width, ok := e.Moment.Width(); ok {
		within = fmt.Sprintf("written within %v", width.Round(time.Millisecond))
	}
	return fmt.Sprintf("%v: the last entry by then is one of %d to %d, %s, and %v is allowed",
		e.Target, e.Moment.Index, e.Moment.Last, within, e.Slack)
}
