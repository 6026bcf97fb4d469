// Package report prints what a check found, for people: the verdict, and the findings, what matters most
// first.
package report

import (
	"strings"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/verdict"
)

// Verdict says the verdict, and what it counts in.
func Verdict(a *ui.App, v verdict.Verdict) string {
	switch v {
	case verdict.OK:
		return a.Paint(ui.Green, string(v))
	case verdict.Unchecked:
		return a.Paint(ui.Yellow, string(v)) + ": no problem was found, but not everything could be checked"
	}
	return a.Paint(ui.Red, string(v))
}

// severities are the severities, what matters most first, with their colour.
var severities = []struct {
	verdict.Severity
	color ui.Color
}{
	{verdict.Error, ui.Red},
	{verdict.Warning, ui.Yellow},
	{verdict.Info, ""},
}

// counted says how many findings there are of each severity: "2 errors, 1 info".
func counted(list []folded) string {
	var parts []string
	for _, s := range severities {
		n := 0
		for i := range list {
			if list[i].severity == s.Severity {
				n += list[i].n
			}
		}
		if n > 0 {
			parts = append(parts, ui.Count(n)+" "+ui.Plural(n, string(s.Severity)))
		}
	}
	return strings.Join(parts, ", ")
}

func colorOf(s verdict.Severity) ui.Color {
	for _, x := range severities {
		if x.Severity == s {
			return x.color
		}
	}
	return ""
}
