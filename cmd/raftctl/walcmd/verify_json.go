package walcmd

import (
	"io"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/wal"
)

// The JSON of `wal verify`: see docs/json.md.
type reportJSON struct {
	Path       string            `json:"path"`
	Verdict    wal.Verdict       `json:"verdict"`
	Outlooks   []outlookJSON     `json:"outlooks"`
	FirstIndex uint64            `json:"first_index"`
	LastIndex  uint64            `json:"last_index"`
	LastTerm   uint64            `json:"last_term"`
	Commit     uint64            `json:"commit"`
	Intact     *rangeJSON        `json:"intact"`
	Ranges     []rangeJSON       `json:"ranges"`
	Records    int64             `json:"records"`
	Bytes      int64             `json:"bytes"`
	Findings   []findingJSON     `json:"findings"`
	Omitted    map[wal.Class]int `json:"omitted,omitempty"`
}

// failureJSON stands for the report on a path that could not be read.
type failureJSON struct {
	Path    string      `json:"path"`
	Verdict wal.Verdict `json:"verdict"`
	Error   string      `json:"error"`
}

type outlookJSON struct {
	From        string        `json:"from"`
	To          string        `json:"to"`
	Action      wal.Action    `json:"action"`
	Summary     string        `json:"summary"`
	StartIndex  uint64        `json:"start_index"`
	Entries     uint64        `json:"entries"`
	LastIndex   uint64        `json:"last_index"`
	Cut         *positionJSON `json:"cut,omitempty"`
	Lost        []rangeJSON   `json:"lost,omitempty"`
	Committed   uint64        `json:"lost_committed,omitempty"`
	Ghosts      []rangeJSON   `json:"ghosts,omitempty"`
	Unexplained []rangeJSON   `json:"unexplained,omitempty"`
	Error       string        `json:"error,omitempty"`
	Log         string        `json:"log,omitempty"`
	Better      string        `json:"better,omitempty"`
	Stop        *stopJSON     `json:"stop,omitempty"`
	Applied     uint64        `json:"applied_index"`
	Unjudged    string        `json:"unjudged,omitempty"`
}

type stopJSON struct {
	Trigger string `json:"trigger"`
	Index   uint64 `json:"index,omitempty"`
	Term    uint64 `json:"term,omitempty"`
	Segment string `json:"segment,omitempty"`
	Offset  int64  `json:"offset,omitempty"`
	Error   string `json:"error"`
	Advice  string `json:"advice"`
}

type positionJSON struct {
	Segment string `json:"segment"`
	Offset  int64  `json:"offset"`
}

type rangeJSON struct {
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

type findingJSON struct {
	Class    wal.Class    `json:"class"`
	Severity wal.Severity `json:"severity"`
	Segment  string       `json:"segment"`
	Offset   int64        `json:"offset"`
	Damaged  int64        `json:"damaged,omitempty"`
	Before   uint64       `json:"index_before,omitempty"`
	After    uint64       `json:"index_after,omitempty"`
	Evidence string       `json:"evidence"`
}

// writeReports writes what is for programs: one object for one path, a list of them for several.
func writeReports(w io.Writer, o *ui.Output, all []verified) error {
	reports := make([]any, len(all))
	for i, v := range all {
		if v.err != nil {
			reports[i] = failureJSON{v.path, wal.VerdictUnchecked, ui.OneLine(v.err)}
			continue
		}
		reports[i] = newReportJSON(v)
	}
	table := func() error { return nil } // each was printed when it was there
	return ui.WriteAll(o, w, reports, table)
}

func newReportJSON(v verified) reportJSON {
	r := v.report
	j := reportJSON{
		Path: v.path, Verdict: r.Verdict,
		FirstIndex: r.First.Index, LastIndex: r.Last.Index, LastTerm: r.Last.Term, Commit: r.Commit(),
		Records: r.Records, Bytes: r.Bytes, Findings: []findingJSON{}, Omitted: r.Omitted,
		Outlooks: []outlookJSON{}, Ranges: newRangesJSON(r.Ranges),
	}
	if r.Intact.Last > 0 {
		j.Intact = &rangeJSON{r.Intact.First, r.Intact.Last}
	}
	for i := range r.Outlooks {
		j.Outlooks = append(j.Outlooks, newOutlookJSON(&r.Outlooks[i]))
	}
	for _, f := range r.Findings {
		j.Findings = append(j.Findings, findingJSON{
			Class: f.Class, Severity: f.Severity, Segment: f.Pos.Segment, Offset: f.Pos.Off,
			Damaged: f.Len, Before: f.Before.Index, After: f.After.Index, Evidence: f.Evidence,
		})
	}
	return j
}

func newOutlookJSON(o *outlook.Outlook) outlookJSON {
	r := &o.Read
	j := outlookJSON{
		From: r.From, To: r.To, Action: o.Action, Summary: o.String(),
		StartIndex: r.Start.Index, Entries: r.Entries, LastIndex: r.Last.Index,
		Lost: newRangesJSON(r.Lost), Committed: r.Commits, Ghosts: newRangesJSON(r.Ghosts),
		Unexplained: newRangesJSON(r.Unexplained), Error: r.Error, Log: r.Log, Better: r.Better,
		Applied: o.Applied, Unjudged: o.Unjudged,
	}
	if r.Cut != nil {
		j.Cut = &positionJSON{r.Cut.Segment, r.Cut.Off}
	}
	if s := o.Stop; s != nil {
		j.Stop = &stopJSON{Trigger: s.Trigger, Index: s.Entry.Index, Term: s.Entry.Term,
			Segment: s.Pos.Segment, Offset: s.Pos.Off, Error: s.Words, Advice: s.Advice}
	}
	return j
}

func newRangesJSON(ranges []wal.IndexRange) []rangeJSON {
	out := []rangeJSON{}
	for _, r := range ranges {
		out = append(out, rangeJSON{r.First, r.Last})
	}
	return out
}
