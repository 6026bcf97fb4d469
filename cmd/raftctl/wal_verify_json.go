package main

import (
	"io"

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
	Evidence string       `json:"evidence"`
}

// writeReports writes one object for one path, an array of them for several.
func writeReports(w io.Writer, o output, all []verified) error {
	reports := make([]reportJSON, len(all))
	for i, v := range all {
		reports[i] = newReportJSON(v)
	}
	if o == outputJSON && len(all) > 1 {
		return writeJSON(w, o, reports)
	}
	for _, r := range reports {
		if err := writeJSON(w, o, r); err != nil {
			return err
		}
	}
	return nil
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
		j.Findings = append(j.Findings, findingJSON{f.Class, f.Severity, f.Pos.Segment, f.Pos.Off, f.Evidence})
	}
	return j
}

func newOutlookJSON(o *wal.Outlook) outlookJSON {
	j := outlookJSON{
		From: o.From, To: o.To, Action: o.Action, Summary: o.String(),
		StartIndex: o.Start.Index, Entries: o.Entries, LastIndex: o.Last.Index,
		Lost: newRangesJSON(o.Lost), Committed: o.Commits, Ghosts: newRangesJSON(o.Ghosts),
		Unexplained: newRangesJSON(o.Unexplained), Error: o.Error, Log: o.Log, Better: o.Better,
	}
	if o.Cut != nil {
		j.Cut = &positionJSON{o.Cut.Segment, o.Cut.Off}
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
