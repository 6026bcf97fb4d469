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
)

// ClassInfo says what a class means.
type ClassInfo struct {
	Class    string
	Severity verdict.Severity // of its findings
	Doc      string           // one line
}

// own are the classes that only this package gives.
var own = []ClassInfo{}

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
