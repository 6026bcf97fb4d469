package doctorcmd

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/cmd/raftctl/report"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/secret"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/repair/etcdlog"
)

// checkEtcdLog is how the line about etcd's own log begins.
const checkEtcdLog = "etcd's log"

// readLog reads etcd's own log. Standard input is read only if it is named: a script has it for other things,
// and it may never end.
func (v *visit) readLog(ctx context.Context) (err error) {
	name := v.o.log
	in := v.a.In
	if name != "-" {
		f, err := os.Open(v.a.Path(name))
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }() // opened for reading
		in = f
	}
	v.log, err = etcdlog.Read(ctx, in)
	if err != nil {
		return fmt.Errorf("%s: %w", ui.Quote(name), err)
	}
	return nil
}

// severityOf tells how much a cause matters: one that ended the server, if it has not come up since.
func severityOf(h *etcdlog.Hit) verdict.Severity {
	if h.Cause.Fatal && !h.Over {
		return verdict.Error
	}
	return verdict.Warning
}

// logVerdict is the verdict by etcd's own log.
func (v *visit) logVerdict() verdict.Verdict {
	ends := func(h etcdlog.Hit) bool { return severityOf(&h) == verdict.Error }
	switch {
	case v.log == nil:
		return verdict.OK
	case slices.ContainsFunc(v.log.Hits, ends):
		return verdict.Problem
	case v.log.Etcd == 0:
		return verdict.Unchecked
	}
	return verdict.OK
}

// logSummary says what was read.
func (v *visit) logSummary() string {
	r := v.log
	text := fmt.Sprintf("%s %s, %s of them etcd's", ui.Count(r.Lines), ui.Plural(r.Lines, "line"), ui.Count(r.Etcd))
	if r.Etcd == 0 {
		text = fmt.Sprintf("%s %s, and none in a form that etcd writes", ui.Count(r.Lines), ui.Plural(r.Lines, "line"))
	}
	if r.Version != "" {
		text += "; etcd " + ui.Printable(r.Version)
	}
	if r.DataDir != "" {
		text += " on " + ui.Printable(r.DataDir)
	}
	return text
}

// printLog prints what etcd's own log says.
func (v *visit) printLog(w io.Writer) error {
	if v.log == nil {
		return nil
	}
	if err := v.printLine(repair.CheckResult{Check: checkEtcdLog, Verdict: v.logVerdict()}, v.logSummary()); err != nil {
		return err
	}
	list := &report.Findings{}
	for i := range v.log.Hits {
		h := &v.log.Hits[i]
		f := report.Finding{Class: h.Cause.Name, Severity: severityOf(h), Doc: h.Cause.Means, Place: linesOf(h),
			Evidence: lineText(&h.Last)}
		if h.Over {
			f.Notes = append(f.Notes, "the server has come up since")
		}
		if text := v.explained(h.Cause); text != "" {
			f.Notes = append(f.Notes, text)
		}
		f.Notes = append(f.Notes, "what to do: "+h.Cause.Advice)
		list.List = append(list.List, f)
	}
	return list.PrintBelow(w, v.a, below)
}

// linesOf says where a cause stands in the log.
func linesOf(h *etcdlog.Hit) string {
	if h.N == 1 {
		return fmt.Sprintf("line %d", h.First.N) + at(h.First.Time)
	}
	return fmt.Sprintf("%s lines, from line %d%s to line %d%s", ui.Count(h.N), h.First.N, at(h.First.Time), h.Last.N, at(h.Last.Time))
}

func at(time string) string {
	if time == "" {
		return ""
	}
	return " (" + ui.Printable(time) + ")"
}

// lineText is what a line says, without secrets.
func lineText(l *etcdlog.Line) string {
	const most = 400
	text := []byte(l.Text)
	if spans := secret.Find(text, true); len(spans) > 0 {
		text = secret.AppendHidden(nil, text, spans)
	}
	s := ui.Printable(string(text))
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// explaining returns the findings that explain a cause, errors first.
func (v *visit) explaining(c *etcdlog.Cause) (list []*repair.Finding) {
	for _, s := range []verdict.Severity{verdict.Error, verdict.Warning, verdict.Info} {
		for i := range v.found.Findings {
			if f := &v.found.Findings[i]; f.Severity == s && slices.Contains(c.Classes, f.Class) {
				list = append(list, f)
			}
		}
	}
	return list
}

// explained says what explains a cause; nothing where no files were looked at, or nothing in them could.
func (v *visit) explained(c *etcdlog.Cause) string {
	list := v.explaining(c)
	switch {
	case len(v.found.Members) == 0 || len(c.Classes) == 0:
		return ""
	case len(list) == 0:
		return "nothing in the files explains it: has something changed since, or are these other files?"
	}
	f := list[0]
	text := "explained by " + f.Class
	if place := placeOf(f); place != "" {
		text += ": " + place
	}
	if more := len(list) - 1; more > 0 {
		text += fmt.Sprintf(", and %s more", ui.Count(more))
	}
	return text
}

type logJSON struct {
	Path    string          `json:"path"`
	Verdict verdict.Verdict `json:"verdict"`
	Lines   int             `json:"lines"`
	Etcd    int             `json:"etcd_lines"`
	Version string          `json:"version,omitempty"`
	DataDir string          `json:"data_dir,omitempty"`
	WalDir  string          `json:"wal_dir,omitempty"`
	Causes  []causeJSON     `json:"causes"`
}

type causeJSON struct {
	Cause     string           `json:"cause"`
	Severity  verdict.Severity `json:"severity"`
	Over      bool             `json:"over"`
	Lines     int              `json:"lines"`
	FirstLine int              `json:"first_line"`
	LastLine  int              `json:"last_line"`
	Time      string           `json:"time,omitempty"`
	Text      string           `json:"text"`
	Means     string           `json:"means"`
	Explained []string         `json:"explained_by"`
	Advice    string           `json:"advice"`
}

func (v *visit) logJSON() *logJSON {
	r := v.log
	if r == nil {
		return nil
	}
	j := &logJSON{Path: v.o.log, Verdict: v.logVerdict(), Lines: r.Lines, Etcd: r.Etcd, Version: r.Version,
		DataDir: r.DataDir, WalDir: r.WalDir, Causes: []causeJSON{}}
	for i := range r.Hits {
		h := &r.Hits[i]
		c := causeJSON{Cause: h.Cause.Name, Severity: severityOf(h), Over: h.Over, Lines: h.N, FirstLine: h.First.N,
			LastLine: h.Last.N, Time: h.Last.Time, Text: lineText(&h.Last), Means: h.Cause.Means, Explained: []string{},
			Advice: h.Cause.Advice}
		for _, f := range v.explaining(h.Cause) {
			if !slices.Contains(c.Explained, f.Class) {
				c.Explained = append(c.Explained, f.Class)
			}
		}
		j.Causes = append(j.Causes, c)
	}
	return j
}
