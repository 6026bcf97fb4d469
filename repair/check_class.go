package repair

import (
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/repair/crosscheck"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/snapshot/database"
	"github.com/raftctl/raftctl/wal"
)

// Classes of findings that this package gives beside those of packages wal, repair/outlook,
// repair/crosscheck and snapshot/database.
const (
	// ClassUnchecked is the class of what could not be checked, in all packages.
	ClassUnchecked = "unchecked"
	// ClassStartLoses says that etcd starts, and loses entries that are there.
	ClassStartLoses = "start_loses"
	// ClassUpgradeTrap says that a later release ends on the files.
	ClassUpgradeTrap = "upgrade_trap"
	// ClassClusterID says that members are of several clusters.
	ClassClusterID = "cluster_id"
	// ClassConflict says that logs of one cluster are not of one history.
	ClassConflict = "conflict"
	// ClassForgotten says that another member knows more of one than it does itself.
	ClassForgotten = "forgotten"
	// ClassInterrupted says that a change by raftctl was not finished.
	ClassInterrupted = "change_interrupted"
	// ClassTwice says that a member was given more than once.
	ClassTwice = "member_twice"
)

// ClassInfo says what a class means.
type ClassInfo struct {
	Class    string
	Severity verdict.Severity // of its findings
	Doc      string           // one line
}

// own are the classes that only this package gives.
var own = []ClassInfo{
	{ClassStartLoses, verdict.Error, "etcd starts, and loses entries that are here"},
	{ClassUpgradeTrap, verdict.Warning, "a later release ends on these files; an info if it is not the next one"},
	{ClassInterrupted, verdict.Error, "a change by raftctl was interrupted"},
	{ClassClusterID, verdict.Error, "members of several clusters: they don't talk to each other"},
	{ClassConflict, verdict.Error, "the logs of these members are not of one history"},
	{ClassForgotten, verdict.Warning, "another member knows more of this one than its own log: it is an older copy, or forgot"},
	{ClassTwice, verdict.Warning, "one member was given more than once"},
}

// OwnClasses returns the classes that this package gives beside those of the packages that it joins.
func OwnClasses() []ClassInfo { return append([]ClassInfo(nil), own...) }

// Classes returns all classes that a finding may have, each once.
func Classes() (list []ClassInfo) {
	told := map[string]bool{}
	add := func(class string, s verdict.Severity, doc string) {
		if !told[class] {
			told[class] = true
			list = append(list, ClassInfo{class, s, doc})
		}
	}
	for _, of := range [][]wal.ClassInfo{wal.Classes(), outlook.Classes()} {
		for _, c := range of {
			add(string(c.Class), c.Severity, c.Doc)
		}
	}
	for _, c := range database.Classes() {
		add(string(c.Class), c.Severity, c.What)
	}
	for _, c := range crosscheck.Classes() {
		add(string(c.Class), c.Severity, c.Doc)
	}
	for _, c := range own {
		add(c.Class, c.Severity, c.Doc)
	}
	return list
}
