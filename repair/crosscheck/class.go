package crosscheck

import "github.com/raftctl/raftctl/internal/verdict"

// Class says what is wrong between the files, spelled as in the JSON contract.
type Class string

// The classes.
const (
	ClassBehind    Class = "database_behind"
	ClassRestarted Class = "log_restarted"
	ClassAhead     Class = "database_ahead"
	ClassMissing   Class = "database_missing"
	ClassForeign   Class = "database_foreign"
	ClassTerm      Class = "database_term"
	ClassMembers   Class = "database_members"
	ClassRemoved   Class = "self_removed"
	ClassStore     Class = "snapshot_members"
	ClassSnapAhead Class = "snapshot_ahead"
	ClassReceived  Class = "database_received"
	ClassBeyond    Class = "applied_beyond_commit"
	ClassLeftover  Class = "leftover"
)

// ClassInfo says what a class means.
type ClassInfo struct {
	Class    Class
	Severity verdict.Severity // of its findings
	Doc      string
}

var classes = []ClassInfo{
	{ClassMissing, verdict.Error, "the log begins with a snapshot, and there is no database that holds its state"},
	{ClassBehind, verdict.Error, "the database is older than the snapshot that etcd starts from"},
	{ClassRestarted, verdict.Error, "the log was begun anew: the member forgot what it had acknowledged to the others"},
	{ClassAhead, verdict.Error, "the database has applied entries that the log doesn't have: the log lost its end, or they don't belong together"},
	{ClassForeign, verdict.Error, "the database is that of another member or cluster"},
	{ClassTerm, verdict.Error, "the database and the log don't agree on the term of the last applied entry"},
	{ClassMembers, verdict.Warning, "the database and the log don't agree on who is a member"},
	{ClassRemoved, verdict.Warning, "the member was removed from its cluster: etcd ends on that"},
	{ClassStore, verdict.Warning, "the newest .snap file doesn't agree with itself, or with the database, on who is a member"},
	{ClassSnapAhead, verdict.Warning, "a .snap file of more entries than the database has applied"},
	{ClassReceived, verdict.Info, "a database that a leader sent"},
	{ClassBeyond, verdict.Info, "entries were applied whose commit the log doesn't record, as after a crash"},
	{ClassLeftover, verdict.Info, "a file that an etcd which died has left"},
}

// Classes returns all classes, with the severity of their findings and what they mean.
func Classes() []ClassInfo { return append([]ClassInfo(nil), classes...) }

func severityOf(c Class) verdict.Severity {
	for _, x := range classes {
		if x.Class == c {
			return x.Severity
		}
	}
	return verdict.Error
}
