package walcmd

import (
	"fmt"
	"io"
	"maps"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/wal"
)

// listedFindings is how many errors or warnings of one class are listed for people. Of infos, several
// of a class are always one.
const listedFindings = 5

// foldedFinding is one finding, or several of a class that are told as one.
type foldedFinding struct {
	severity wal.Severity
	class    wal.Class
	n        int
	first    *wal.Finding // the one before, where the report omitted all of them
	last     *wal.Finding // nil if the report omitted the last ones
	more     bool         // beside those that are listed
}

// foldFindings returns what is listed: errors before warnings before infos, and those in the order of
// the log.
func foldFindings(r *wal.Report) (list []foldedFinding) {
	omitted := maps.Clone(r.Omitted)
	for _, s := range severities {
		byClass := map[wal.Class][]*wal.Finding{}
		var classes []wal.Class
		for i := range r.Findings {
			f := &r.Findings[i]
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
func foldClass(all []*wal.Finding, omitted int) (list []foldedFinding) {
	listed := listedFindings
	if all[0].Severity == wal.SeverityInfo {
		listed = 1
	}
	if len(all)+omitted > listed {
		listed-- // the last one stands for the others
	}
	listed = min(listed, len(all))
	for _, f := range all[:listed] {
		list = append(list, foldedFinding{n: 1, first: f, last: f})
	}
	rest := all[listed:]
	if len(rest)+omitted > 0 {
		g := foldedFinding{n: len(rest) + omitted, first: all[len(all)-1], more: listed > 0}
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

// findings prints the findings.
func (p *reportPrinter) findings() error {
	list := foldFindings(&p.report.Report)
	if len(list) == 0 {
		return nil
	}
	if _, err := fmt.Fprintf(p.w, "\n%s\n", counted(list)); err != nil {
		return err
	}
	docs := classDocs()
	for i := range list {
		if err := p.finding(&list[i], docs[list[i].class]); err != nil {
			return err
		}
	}
	return nil
}

// findingIndent is where the lines about a finding begin.
const findingIndent = 9

// finding prints a finding, or several that are told as one: what its class means, where it is, what
// was found, and the command that looks there. What is only worth knowing has fewer words.
func (p *reportPrinter) finding(f *foldedFinding, doc string) error {
	lines := append([]string{f.head(doc)}, p.lines(f)...)
	look := p.advice.look(f.first)
	if f.severity == wal.SeverityInfo {
		look = ""
		if f.n == 1 {
			lines = []string{fmt.Sprintf("%s: %s: %s", f.class, p.placeOf(f.first), f.first.Evidence)}
		}
	}
	var text string
	for _, line := range lines {
		text += ui.Indented(line, findingIndent, p.app.Width)
	}
	if look != "" {
		text += ui.Indented(look, findingIndent, 0)
	}
	severity := p.app.Paint(colorOf(f.severity), string(f.severity))
	_, err := io.WriteString(p.w, severity+text[len(f.severity):])
	return err
}

// head says what a finding is.
func (f *foldedFinding) head(doc string) string {
	switch {
	case f.more:
		return fmt.Sprintf("%s more × %s; -o json lists more", ui.Count(f.n), f.class)
	case f.n > 1:
		return fmt.Sprintf("%s × %s: %s", ui.Count(f.n), f.class, doc)
	}
	return fmt.Sprintf("%s: %s", f.class, doc)
}

// lines says where a finding is and what was found.
func (p *reportPrinter) lines(f *foldedFinding) []string {
	first := p.placeOf(f.first)
	switch {
	case f.n > 1 && f.last != nil:
		return []string{fmt.Sprintf("first %s, last %s", first, p.placeOf(f.last))}
	case f.last == nil:
		return []string{"from " + first + " on"}
	case f.class == wal.ClassEtcdStart, f.class == outlook.ClassEtcdStop:
		return []string{first, "see the outlook above"}
	}
	return []string{first, f.first.Evidence}
}

// placeOf says where a finding is, with the entries around it where they are known.
func (p *reportPrinter) placeOf(f *wal.Finding) string {
	if f.Pos.Off == 0 && !p.advice.inLog(f.Pos.Segment) {
		return f.Pos.Segment // it is about a file
	}
	at := f.Pos.String()
	switch before, after := f.Before.Index, f.After.Index; {
	case before > 0 && after > 0:
		return fmt.Sprintf("%s, between entries %d and %d", at, before, after)
	case before > 0:
		return fmt.Sprintf("%s, behind entry %d", at, before)
	case after > 0:
		return fmt.Sprintf("%s, before entry %d", at, after)
	}
	return at
}

func colorOf(s wal.Severity) ui.Color {
	for _, x := range severities {
		if x.Severity == s {
			return x.color
		}
	}
	return ""
}

// classDocs returns what each class means, on one line.
func classDocs() map[wal.Class]string {
	docs := map[wal.Class]string{}
	for _, list := range [][]wal.ClassInfo{wal.Classes(), outlook.Classes()} {
		for _, c := range list {
			docs[c.Class] = c.Doc
		}
	}
	return docs
}
