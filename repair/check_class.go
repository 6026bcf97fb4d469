package repair

import "github.com/raftctl/raftctl/internal/verdict"

// Classes of findings that this package gives beside those of packages wal, repair/outlook,
// repair/crosscheck and snapshot/database.
const (
	// ClassUnchecked is the class of what could not be checked, in all packages.
	ClassUnchecked = "unchecked"
	// ClassNoLog says that a member has no log.
	ClassNoLog = "log_missing"
)

// ClassInfo says what a class means.
type ClassInfo struct {
	Class    string
	Severity verdict.Severity // of its findings
	Doc      string           // one line
}
