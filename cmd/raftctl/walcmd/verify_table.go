package walcmd

import (
	"fmt"
	"io"
	"strings"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/display"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/wal"
)

// reportPrinter prints a report for people, what matters most first.
type reportPrinter struct {
	w      io.Writer
	app    *ui.App
	report *outlook.Report
	advice *adviser
}

// print prints the report, below a title if there is one.
func (p *reportPrinter) print(title string) error {
	r := p.report
	if title != "" {
		if _, err := fmt.Fprintf(p.w, "%s\n", title); err != nil {
			return err
		}
	}
	kv := ui.NewFacts(p.w).Wrap(p.app.Width)
	kv.Add("verdict", "%s", p.verdict())
	p.advice.advise(kv)
	if r.Last.Index > 0 {
		kv.Add("entries", "%d..%d, last of term %d, committed up to %d",
			r.First.Index, r.Last.Index, r.Last.Term, r.Commit())
	} else {
		kv.Add("entries", "none")
	}
	if r.Intact.Last > 0 {
		kv.Add("intact", "%d..%d", r.Intact.First, r.Intact.Last)
	}
	if len(r.Ranges) > 1 {
		kv.Add("found", "%s", rangesText(r.Ranges))
	}
	kv.Add("read", "%s records, %s", ui.Count(r.Records), display.FormatSize(r.Bytes))
	label := "outlook"
	for _, o := range outlook.Fold(r.Outlooks) {
		kv.Add(label, "%s", o.String())
		label = ""
		if o.Stop != nil {
			kv.AddBelow("what to do: " + o.Stop.Advice)
		}
	}
	if err := kv.Flush(); err != nil {
		return err
	}
	return p.findings()
}

// verdict says the verdict, and what it counts in.
func (p *reportPrinter) verdict() string {
	switch r := p.report; r.Verdict {
	case wal.VerdictOK:
		return p.app.Paint(ui.Green, string(r.Verdict))
	case wal.VerdictUnchecked:
		return p.app.Paint(ui.Yellow, string(r.Verdict)) +
			": no problem was found, but not everything could be checked"
	default:
		return p.app.Paint(ui.Red, string(r.Verdict))
	}
}

// severities are the severities, what matters most first, with their colour.
var severities = []struct {
	wal.Severity
	color ui.Color
}{
	{wal.SeverityError, ui.Red},
	{wal.SeverityWarning, ui.Yellow},
	{wal.SeverityInfo, ""},
}

// counted says how many findings there are of each severity: "2 errors, 1 info".
func counted(list []foldedFinding) string {
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
