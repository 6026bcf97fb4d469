package report

import (
	"fmt"
	"io"
	"maps"
	"strings"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/verdict"
)

// Finding is one finding, as it is told.
type Finding struct {
	Class    string
	Severity verdict.Severity
	Doc      string // what its class means
	Place    string // where it is
	Evidence string // what was found, and what was expected
	Look     string // the command that shows what lies there; empty where there is none

	Notes []string // more lines about it
	Next  []string // commands to go on with, of errors and warnings
}

// Findings are those of a report, in its order.
type Findings struct {
	List    []Finding
	Omitted map[string]int // how many of a class are left out of the list
}

// listedFindings is how many errors or warnings of one class are listed for people. Of infos, several
// of a class are always one.
const listedFindings = 5

// folded is one finding, or several of a class that are told as one.
type folded struct {
	severity verdict.Severity
	class    string
	n        int
	first    *Finding // the one before, where the report omitted all of them
	last     *Finding // nil if the report omitted the last ones
	more     bool     // beside those that are listed
}

// fold returns what is listed: errors before warnings before infos, and those in the order of
// the report.
func fold(r *Findings) (list []folded) {
	omitted := maps.Clone(r.Omitted)
	for _, s := range severities {
		byClass := map[string][]*Finding{}
		var classes []string
		for i := range r.List {
			f := &r.List[i]
			if f.Severity != s.Severity {
				continue
			}
			if byClass[f.Class] == nil {
				classes = append(classes, f.Class)
			}
			byClass[f.Class] = append(byClass[f.Class], f)
		}
		for _, c := range classes {
			list = append(list, foldClass(byClass[c], omitted[c])...)
			delete(omitted, c) // a class may have several severities
		}
	}
	return list
}

// foldClass folds the findings of one class and severity, of which there are more that the report
// omitted.
func foldClass(all []*Finding, omitted int) (list []folded) {
	listed := listedFindings
	if all[0].Severity == verdict.Info {
		listed = 1
	}
	if len(all)+omitted > listed {
		listed-- // the last one stands for the others
	}
	listed = min(listed, len(all))
	for _, f := range all[:listed] {
		list = append(list, folded{n: 1, first: f, last: f})
	}
	rest := all[listed:]
	if len(rest)+omitted > 0 {
		g := folded{n: len(rest) + omitted, first: all[len(all)-1], more: listed > 0}
		if len(rest) > 0 {
			g.first = rest[0]
		}
		if omitted == 0 {
			g.last = rest[len(rest)-1]
		}
		list = append(list, g)
	}
	for i := range list {
		list[i].severity, list[i].class = all[0].Severity, all[0].Class
	}
	return list
}

// Print prints the findings behind an empty line, if there are any.
func (r *Findings) Print(w io.Writer, a *ui.App) error {
	list := fold(r)
	if len(list) == 0 {
		return nil
	}
	if _, err := fmt.Fprintf(w, "\n%s\n", counted(list)); err != nil {
		return err
	}
	for i := range list {
		if err := list[i].print(w, a, 0); err != nil {
			return err
		}
	}
	return nil
}

// PrintBelow prints the findings behind that many blanks: below the line of the check that they are of.
func (r *Findings) PrintBelow(w io.Writer, a *ui.App, blanks int) error {
	for _, f := range fold(r) {
		if err := f.print(w, a, blanks); err != nil {
			return err
		}
	}
	return nil
}

// indent is where the lines about a finding begin.
const indent = 9

// print prints a finding, or several that are told as one, behind some blanks: what its class means, where it
// is, what was found, and the commands that look there or go on. What is only worth knowing has fewer words.
func (f *folded) print(w io.Writer, a *ui.App, blanks int) error {
	lines := append([]string{f.head()}, f.lines()...)
	look := f.first.Look
	if f.severity == verdict.Info {
		look = ""
		if f.n == 1 {
			lines = []string{joined(f.class, f.first.Place, f.first.Evidence)}
		}
	}
	var text string
	for _, line := range lines {
		text += ui.Indented(line, blanks+indent, a.Width)
	}
	for _, command := range f.commands(look) {
		text += ui.Indented(command, blanks+indent, 0)
	}
	severity := a.Paint(colorOf(f.severity), string(f.severity))
	_, err := io.WriteString(w, strings.Repeat(" ", blanks)+severity+text[blanks+len(f.severity):])
	return err
}

// commands returns what can be typed next, each line once.
func (f *folded) commands(look string) (list []string) {
	if look != "" {
		list = append(list, look)
	}
	if f.severity == verdict.Info || f.more {
		return list
	}
	for _, line := range f.first.Next {
		list = append(list, "  "+line)
	}
	return list
}

// joined joins words by colons, but for those that are empty.
func joined(words ...string) string {
	var s []string
	for _, w := range words {
		if w != "" {
			s = append(s, w)
		}
	}
	return strings.Join(s, ": ")
}

// head says what a finding is.
func (f *folded) head() string {
	switch {
	case f.more:
		return fmt.Sprintf("%s more × %s; -o json lists more", ui.Count(f.n), f.class)
	case f.n > 1:
		return fmt.Sprintf("%s × %s: %s", ui.Count(f.n), f.class, f.first.Doc)
	}
	return fmt.Sprintf("%s: %s", f.class, f.first.Doc)
}

// lines says where a finding is and what was found.
func (f *folded) lines() (lines []string) {
	switch {
	case f.first.Place == "":
	case f.n > 1 && f.last != nil:
		return []string{fmt.Sprintf("first %s, last %s", f.first.Place, f.last.Place)}
	case f.last == nil:
		return []string{"from " + f.first.Place + " on"}
	default:
		lines = append(lines, f.first.Place)
	}
	return append(append(lines, f.first.Evidence), f.first.Notes...)
}
