package doctorcmd

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/cmd/raftctl/report"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/repair/change"
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
	if err := v.printLog(v.a.Text()); err != nil {
		return err
	}
	if err := v.printFound(); err != nil {
		return err
	}
	for i, m := range v.found.Members {
		if err := v.title(m, i > 0); err != nil {
			return err
		}
		if err := v.printMember(m); err != nil {
			return err
		}
	}
	if err := v.printCluster(); err != nil {
		return err
	}
	return v.printCopies()
}

// printCluster prints what several members say of each other.
func (v *visit) printCluster() error {
	c := v.found.Cluster
	if c == nil {
		return nil
	}
	if _, err := io.WriteString(v.a.Text(), "\n"); err != nil {
		return err
	}
	if err := v.printLine(repair.CheckResult{Check: repair.CheckCluster, Verdict: c.Verdict}, clusterSummary(c)); err != nil {
		return err
	}
	return v.printFindings(func(f *repair.Finding) bool { return f.Check == repair.CheckCluster })
}

// printFound says which etcd of this machine was found, where no path was given.
func (v *visit) printFound() error {
	if v.by == "" {
		return nil
	}
	kv := ui.NewFacts(v.a.Text()).Wrap(v.a.Width)
	for _, m := range v.found.Members {
		kv.Add("found", "%s, by %s", ui.Printable(m.Name), ui.Printable(v.by))
	}
	for _, f := range v.other {
		kv.Add("", "there is also %s, by %s; to check that:", ui.Printable(f.dir), ui.Printable(f.by))
		words := []string{"raftctl", "doctor", f.dir}
		if f.walDir != "" {
			words = append(words, "--wal-dir", f.walDir)
		}
		kv.AddCommand(ui.CommandLine(words...))
	}
	return kv.Flush()
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
	for _, c := range m.Checks {
		if err := v.printLine(c, summaries[c.Check](m)); err != nil {
			return err
		}
		of := func(f *repair.Finding) bool { return f.Member == m.Member && f.Check == c.Check }
		if err := v.printFindings(of); err != nil {
			return err
		}
	}
	return v.printChanges(m)
}

// listedChanges is how many changes are listed for people.
const listedChanges = 3

// printChanges says what raftctl has changed at the member, the newest first, and how to put it back.
func (v *visit) printChanges(m *repair.Examined) error {
	kv := ui.NewFacts(v.a.Text()).Wrap(v.a.Width)
	label := "changed"
	for n, c := range slices.Backward(m.Changes) {
		if len(m.Changes)-n > listedChanges {
			break
		}
		kv.Add(label, "%s (%s): %s", c.Time.UTC().Format("2006-01-02 15:04:05Z"), c.State, ui.Printable(c.Command))
		if label != "" && c.State == change.Done && c.KeptThere {
			kv.AddBelow("to put back what was there before:")
			kv.AddCommand(v.command([]string{"undo", m.Name}))
		}
		label = ""
	}
	return kv.Flush()
}

// printFindings prints the findings below the line of their check, but for infos.
func (v *visit) printFindings(of func(*repair.Finding) bool) error {
	docs := map[string]string{}
	for _, c := range repair.Classes() {
		docs[c.Class] = c.Doc
	}
	list, told := &report.Findings{}, map[string]bool{}
	for i := range v.found.Findings {
		f := &v.found.Findings[i]
		if !of(f) || f.Severity == verdict.Info {
			continue
		}
		t := v.told(f, docs[f.Class])
		t.Next = slices.DeleteFunc(t.Next, func(line string) bool { return told[line] })
		for _, line := range t.Next {
			told[line] = true
		}
		list.List = append(list.List, t)
	}
	return list.PrintBelow(v.a.Text(), v.a, below)
}

// printLine prints the line of a check.
func (v *visit) printLine(c repair.CheckResult, summary string) error {
	t := verdictTexts[c.Verdict]
	head := fmt.Sprintf("%-*s", checkWidth, c.Check) + v.a.Paint(t.color, t.text)
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
	t.Notes = append(t.Notes, lostLines(f)...)
	for _, r := range f.Remedies {
		t.Notes = append(t.Notes, fmt.Sprintf("remedy: %s: %s; %v", r.Remedy, ui.Printable(r.Does), r.Cost))
	}
	if f.Advice != "" {
		t.Notes = append(t.Notes, "what to do: "+f.Advice)
	}
	t.Next = v.next(f)
	return t
}

// listedLost is how many entries of a finding are listed for people.
const listedLost = 5

// lostLines says which entries a finding is about, and what they say.
func lostLines(f *repair.Finding) (lines []string) {
	for i := range f.Lost[:min(len(f.Lost), listedLost)] {
		l := &f.Lost[i]
		text := fmt.Sprintf("entry %d", l.ID.Index)
		switch {
		case l.Applied:
			text += " (applied)"
		case l.Committed:
			text += " (committed)"
		default:
			text += " (not known to be committed)"
		}
		switch {
		case l.Summary == "":
			text += ": what it says is not known"
		case l.Proven:
			text += ": " + ui.Printable(l.Summary)
		default:
			text += ", not proven: " + ui.Printable(l.Summary)
		}
		lines = append(lines, text)
	}
	if more := uint64(max(0, len(f.Lost)-listedLost)) + f.LostMore; more > 0 {
		lines = append(lines, fmt.Sprintf("and %s entries more", ui.Count(more)))
	}
	return lines
}

// command returns a command line on the user's paths.
func (v *visit) command(args []string) string {
	words := append([]string{"raftctl"}, args...)
	if dir := v.o.source.WalDir; dir != "" {
		words = append(words, "--wal-dir", dir)
	}
	return ui.CommandLine(words...)
}

// placeOf says where a finding is.
func placeOf(f *repair.Finding) string {
	text := f.File
	if f.Check == repair.CheckCluster && f.Member != nil {
		text = ui.Printable(f.Member.Name)
	}
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
