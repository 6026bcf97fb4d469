// Package verdict holds the words in which the checks of logs, snapshots and databases say what came
// of them, so that they are the same everywhere.
package verdict

// Verdict is the outcome of a check. It is never ok by omission.
type Verdict string

// The verdicts.
const (
	OK        Verdict = "ok"
	Problem   Verdict = "problem"   // some finding is an error
	Unchecked Verdict = "unchecked" // no error was found, and not everything was checked
)

// Severity tells how much a finding matters.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // no etcd writes this, or etcd would misread it
	Warning Severity = "warning" // odd, but nothing is lost by it
	Info    Severity = "info"    // worth knowing
)
