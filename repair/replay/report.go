package replay

import (
	"fmt"

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
}

// Error formats the error as "index=900: the log ends at entry 880".
func (e *TargetError) Error() string { return fmt.Sprintf("%v: %s", e.Target, e.Why) }
