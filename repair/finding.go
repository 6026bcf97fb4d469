package repair

import (
	"fmt"

	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot/database"
	"github.com/raftctl/raftctl/wal"
)

// Finding is one thing that is wrong with a member, or worth knowing about it.
type Finding struct {
	// Class says what is wrong, as the JSON contract spells it: a class of packages wal, repair/outlook,
	// repair/crosscheck or snapshot/database, or one of this package's.
	Class    string
	Severity verdict.Severity
	Check    Check
	Member   *Member

	File    string         // in the log, or in member/snap; empty where it is about no single one
	Off     int64          // in bytes, where the first byte is wrong
	Len     int64          // bytes that are wrong; 0 if none are
	Entries wal.IndexRange // that it is about; zero if it is about none

	Evidence string   // one line: what was found, what was expected, and what proves it
	Releases []string // what releases of etcd do about it, a line for each group of them that differ
	Advice   string   // what to do, in words; empty where there is nothing
	Next     []string // arguments of a raftctl command to go on with; nil where there is none
	Lost     []LostEntry
	LostMore uint64 // how many more there are

	// Remedies are what would mend it, the one that a plan takes first.
	Remedies []Proposal

	// Log is the finding of the log's own check that this one was made of; nil for others.
	Log *wal.Finding
	// Database is likewise that of the database's own check.
	Database *database.Finding
}

// String returns place, class and evidence on one line.
func (f *Finding) String() string {
	if f.File == "" {
		return fmt.Sprintf("%s: %s", f.Class, f.Evidence)
	}
	return fmt.Sprintf("%s: offset %d: %s: %s", f.File, f.Off, f.Class, f.Evidence)
}

// Check names a group of checks, as the doctor's lines do.
type Check string

// The checks, in the order in which they are told.
const (
	CheckLog       Check = "log"       // the bytes of the log, and what its records say
	CheckSnapshots Check = "snapshots" // the .snap files
	CheckDatabase  Check = "database"
	CheckTogether  Check = "together" // do log, .snap files and database fit together
	CheckMembers   Check = "members"  // who is a member, by all that tells it
	CheckStart     Check = "start"    // what releases of etcd do when they are started on the files
	CheckCluster   Check = "cluster"  // what several members say of each other
)

// LostEntry is an entry that is damaged or would be lost.
type LostEntry struct {
	ID        raftpb.EntryID // the term is 0 if it isn't known
	Committed bool           // it is known to be
	Applied   bool           // the database has applied it already: its loss is harmless
	Summary   string         // what it says, in one line; empty if that can't be told
	Proven    bool           // its bytes are intact; else Summary is what damaged ones seem to say
}

// Proposal is a remedy for a finding, and what the plan costs that it belongs to.
type Proposal struct {
	Remedy string
	Does   string
	Cost   *Cost
}
