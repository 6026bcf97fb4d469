package walcmd

import (
	"fmt"
	"io"
	"slices"

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
	first    *wal.Finding
	last     *wal.Finding // nil if the report left the last ones out
	more     bool         // beside those that are listed
}

// foldFindings returns what is listed: errors before warnings before infos, and those in the order of
// the log.
func foldFindings(r *wal.Report) (list []foldedFinding) {
	for _, s := range severities {
		byClass := map[wal.Class][]*wal.Finding{}
		for i := range r.Findings {
			if f := &r.Findings[i]; f.Severity == s.Severity {
				byClass[f.Class] = append(byClass[f.Class], f)
			}
		}
		for i := range r.Findings {
			f := &r.Findings[i]
			if all := byClass[f.Class]; f.Severity == s.Severity && all[0] == f {
				list = append(list, foldClass(all, r.Omitted[f.Class])...)
			}
		}
	}
	return list
}

// foldClass folds the findings of one class and severity, of which some may have been left out.
func foldClass(all []*wal.Finding, omitted int) (list []foldedFinding) {
	listed := listedFindings
	if all[0].Severity == wal.SeverityInfo {
		listed = 1
	}
	if len(all)+omitted <= listed {
		listed = len(all)
	} else {
		listed-- // the last one stands for the others
	}
	for _, f := range all[:listed] {
		list = append(list, foldedFinding{f.Severity, f.Class, 1, f, f, false})
	}
	if rest := all[listed:]; len(rest)+omitted > 0 {
		g := foldedFinding{all[0].Severity, all[0].Class, len(rest) + omitted, all[len(all)-1], nil, listed > 0}
		if len(rest) > 0 {
			g.first = rest[0]
		}
		if omitted == 0 {
			g.last = rest[len(rest)-1]
		}
		list = append(list, g)
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
// was found, and the command that looks there.
func (p *reportPrinter) finding(f *foldedFinding, doc string) error {
	head := fmt.Sprintf("%s: %s", f.class, doc)
	switch {
	case f.more:
		head = fmt.Sprintf("%s more × %s; -o json lists more", ui.Count(f.n), f.class)
	case f.n > 1:
		head = fmt.Sprintf("%s × %s: %s", ui.Count(f.n), f.class, doc)
	}
	text := ui.Indented(head, findingIndent, p.app.Width)
	word := fmt.Sprintf("%-*s", findingIndent, f.severity)
	if _, err := io.WriteString(p.w, p.app.Paint(colorOf(f.severity), word)+text[findingIndent:]); err != nil {
		return err
	}
	for _, line := range f.lines() {
		if _, err := io.WriteString(p.w, ui.Indented(line, findingIndent, p.app.Width)); err != nil {
			return err
		}
	}
	if look := p.advice.look(f.first); look != "" {
		if _, err := io.WriteString(p.w, ui.Indented(look, findingIndent, 0)); err != nil {
			return err
		}
	}
	return nil
}

// lines says where a finding is and what was found.
func (f *foldedFinding) lines() []string {
	if f.n > 1 {
		line := "first " + placeOf(f.first)
		if f.last != nil {
			line += ", last " + placeOf(f.last)
		}
		return []string{line}
	}
	evidence := f.first.Evidence
	if f.class == wal.ClassEtcdStart || f.class == outlook.ClassEtcdStop {
		evidence = "see the outlook above"
	}
	return []string{placeOf(f.first), evidence}
}

// placeOf says where a finding is, with the entries around it where they are known.
func placeOf(f *wal.Finding) string {
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
	i := slices.IndexFunc(severities, func(x struct {
		wal.Severity
		color ui.Color
	}) bool {
		return x.Severity == s
	})
	return severities[max(i, 0)].color
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
