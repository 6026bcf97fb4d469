package walcmd

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/display"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/wal"
)

func printReport(w io.Writer, v verified, named bool) error {
	r := v.report
	if named {
		if _, err := fmt.Fprintf(w, "%s\n", v.path); err != nil {
			return err
		}
	}
	kv := ui.NewFacts(w)
	kv.Add("verdict", "%s", r.Verdict)
	if r.Last.Index > 0 {
		kv.Add("entries", "%d..%d, last of term %d, committed up to %d",
			r.First.Index, r.Last.Index, r.Last.Term, r.Commit())
	} else {
		kv.Add("entries", "none")
	}
	if r.Intact.Last > 0 {
		kv.Add("intact", "%d..%d", r.Intact.First, r.Intact.Last)
	}
	kv.Add("read", "%d records, %s", r.Records, display.FormatSize(r.Bytes))
	label := "outlook"
	for _, o := range outlook.Fold(r.Outlooks) {
		kv.Add(label, "%s", o.String())
		label = ""
		if o.Stop != nil {
			kv.Add("", "  what to do: %s", o.Stop.Advice)
		}
	}
	if err := kv.Flush(); err != nil {
		return err
	}
	return printFindings(w, &r.Report)
}

func printFindings(w io.Writer, r *wal.Report) error {
	n := len(r.Findings)
	if n == 0 {
		return nil
	}
	if _, err := fmt.Fprintf(w, "\n%d %s\n", n, ui.Plural(n, "finding")); err != nil {
		return err
	}
	for _, f := range r.Findings {
		if _, err := fmt.Fprintf(w, "  %-7s  %s: %v: %s\n", f.Severity, f.Class, f.Pos, f.Evidence); err != nil {
			return err
		}
	}
	for _, class := range slices.Sorted(maps.Keys(r.Omitted)) {
		if _, err := fmt.Fprintf(w, "  %d more of class %s\n", r.Omitted[class], class); err != nil {
			return err
		}
	}
	return nil
}
