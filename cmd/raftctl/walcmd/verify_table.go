package walcmd

import (
	"fmt"
	"io"

	"github.com/raftctl/raftctl/cmd/raftctl/report"
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
	kv.Add("verdict", "%s", report.Verdict(p.app, r.Verdict))
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
	return p.told().Print(p.w, p.app)
}

// told returns the findings as they are told.
func (p *reportPrinter) told() *report.Findings {
	docs := classDocs()
	f := &report.Findings{Omitted: map[string]int{}}
	for i := range p.report.Findings {
		x := &p.report.Findings[i]
		evidence := x.Evidence
		if x.Class == wal.ClassEtcdStart || x.Class == outlook.ClassEtcdStop {
			evidence = "see the outlook above"
		}
		f.List = append(f.List, report.Finding{Class: string(x.Class), Severity: x.Severity, Doc: docs[x.Class],
			Place: p.placeOf(x), Evidence: evidence, Look: p.advice.look(x)})
	}
	for c, n := range p.report.Omitted {
		f.Omitted[string(c)] = n
	}
	return f
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
