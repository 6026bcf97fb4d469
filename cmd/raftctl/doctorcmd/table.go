package doctorcmd

import (
	"fmt"
	"io"
	"strings"

	"github.com/raftctl/raftctl/cmd/raftctl/report"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/repair"
)

// verdictTexts say a verdict to people.
var verdictTexts = map[verdict.Verdict]struct {
	text  string
	color ui.Color
}{
	verdict.OK:        {"ok", ui.Green},
	verdict.Problem:   {"problem", ui.Red},
	verdict.Unchecked: {"could not check", ui.Yellow},
}

// Where the columns of a check's line begin, and how far what was found is set in.
const (
	checkWidth   = 12
	verdictWidth = 17
	below        = 2
)

// print prints a line a check, and below it what was found, for one member after the other.
func (v *visit) print() error {
	for i, m := range v.found.Members {
		if err := v.title(m, i > 0); err != nil {
			return err
		}
		if err := v.printMember(m); err != nil {
			return err
		}
	}
	return nil
}

// title names the member, where there are several, and says that it is running.
func (v *visit) title(m *repair.Examined, behind bool) error {
	text := ""
	if behind {
		text = "\n"
	}
	if len(v.found.Members)+len(v.unread) > 1 {
		text += ui.Printable(m.Name) + "\n"
	}
	if m.Running {
		who := "a process"
		if m.PID > 0 {
			who = fmt.Sprintf("process %d", m.PID)
		}
		line := fmt.Sprintf("%s holds the files: what is written while they are read may be left out", who)
		text += fmt.Sprintf("%-*s%s", checkWidth, "running", ui.Indented(line, checkWidth, v.a.Width)[checkWidth:])
	}
	_, err := io.WriteString(v.a.Text(), text)
	return err
}

func (v *visit) printMember(m *repair.Examined) error {
	docs := map[string]string{}
	for _, c := range repair.Classes() {
		docs[c.Class] = c.Doc
	}
	for _, c := range m.Checks {
		if err := v.printLine(m, c); err != nil {
			return err
		}
		list := &report.Findings{}
		for i := range v.found.Findings {
			if f := &v.found.Findings[i]; f.Member == m.Member && f.Check == c.Check && f.Severity != verdict.Info {
				list.List = append(list.List, v.told(f, docs[f.Class]))
			}
		}
		if err := list.PrintBelow(v.a.Text(), v.a, below); err != nil {
			return err
		}
	}
	return nil
}

// printLine prints the line of a check.
func (v *visit) printLine(m *repair.Examined, c repair.CheckResult) error {
	t := verdictTexts[c.Verdict]
	head := fmt.Sprintf("%-*s", checkWidth, c.Check) + v.a.Paint(t.color, t.text)
	summary := summaries[c.Check](m)
	if summary == "" {
		_, err := fmt.Fprintln(v.a.Text(), head)
		return err
	}
	pad := strings.Repeat(" ", verdictWidth-len(t.text))
	text := ui.Indented(summary, checkWidth+verdictWidth, v.a.Width)
	_, err := io.WriteString(v.a.Text(), head+pad+text[checkWidth+verdictWidth:])
	return err
}

// told returns a finding as it is told.
func (v *visit) told(f *repair.Finding, doc string) report.Finding {
	t := report.Finding{Class: f.Class, Severity: f.Severity, Doc: doc, Place: placeOf(f), Evidence: f.Evidence,
		Notes: append([]string(nil), f.Releases...)}
	if f.Advice != "" {
		t.Notes = append(t.Notes, "what to do: "+f.Advice)
	}
	if line := v.command(f.Next); line != "" {
		t.Next = append(t.Next, line)
	}
	return t
}

// command returns a command line on the user's paths.
func (v *visit) command(args []string) string {
	if len(args) == 0 {
		return ""
	}
	words := append([]string{"raftctl"}, args...)
	if dir := v.o.source.WalDir; dir != "" {
		words = append(words, "--wal-dir", dir)
	}
	return ui.CommandLine(words...)
}

// placeOf says where a finding is.
func placeOf(f *repair.Finding) string {
	text := f.File
	if d := f.Database; d != nil && d.Page > 0 {
		text += fmt.Sprintf(": page %d", d.Page)
	}
	if f.Off > 0 || f.Len > 0 {
		text += fmt.Sprintf(": offset %d", f.Off)
	}
	if f.Entries.Last > 0 {
		text += ", " + f.Entries.String()
	}
	return text
}
