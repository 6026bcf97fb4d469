package main

import (
	"io"

	"github.com/raftctl/raftctl/wal"
)

// The JSON of `wal verify`: see docs/json.md.
type reportJSON struct {
	Path       string            `json:"path"`
	Verdict    wal.Verdict       `json:"verdict"`
	Etcd       outlookJSON       `json:"etcd"`
	Etcd36     outlookJSON       `json:"etcd_3_6"`
	FirstIndex uint64            `json:"first_index"`
	LastIndex  uint64            `json:"last_index"`
	LastTerm   uint64            `json:"last_term"`
	Commit     uint64            `json:"commit"`
	Intact     *rangeJSON        `json:"intact"`
	Records    int64             `json:"records"`
	Bytes      int64             `json:"bytes"`
	Findings   []findingJSON     `json:"findings"`
	Omitted    map[wal.Class]int `json:"omitted,omitempty"`
}

type outlookJSON struct {
	Action     wal.Action  `json:"action"`
	Release    string      `json:"release"`
	Summary    string      `json:"summary"`
	StartIndex uint64      `json:"start_index"`
	Entries    uint64      `json:"entries"`
	LastIndex  uint64      `json:"last_index"`
	Lost       []rangeJSON `json:"lost,omitempty"`
	Committed  uint64      `json:"lost_committed,omitempty"`
	Ghosts     []rangeJSON `json:"ghosts,omitempty"`
	Error      string      `json:"error,omitempty"`
	Log        string      `json:"log,omitempty"`
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
		Etcd: newOutlookJSON(&r.Etcd), Etcd36: newOutlookJSON(&r.Etcd36),
		FirstIndex: r.First.Index, LastIndex: r.Last.Index, LastTerm: r.Last.Term, Commit: r.Commit(),
		Records: r.Records, Bytes: r.Bytes, Findings: []findingJSON{}, Omitted: r.Omitted,
	}
	if r.Intact.Last > 0 {
		j.Intact = &rangeJSON{r.Intact.First, r.Intact.Last}
	}
	for _, f := range r.Findings {
		j.Findings = append(j.Findings, findingJSON{f.Class, f.Severity, f.Pos.Segment, f.Pos.Off, f.Evidence})
	}
	return j
}

func newOutlookJSON(o *wal.Outlook) outlookJSON {
	return outlookJSON{
		Action: o.Action, Release: o.Release, Summary: o.String(),
		StartIndex: o.Start.Index, Entries: o.Entries, LastIndex: o.Last.Index,
		Lost: newRangesJSON(o.Lost), Committed: o.Commits, Ghosts: newRangesJSON(o.Ghosts),
		Error: o.Error, Log: o.Log,
	}
}

func newRangesJSON(ranges []wal.IndexRange) []rangeJSON {
	var out []rangeJSON
	for _, r := range ranges {
		out = append(out, rangeJSON{r.First, r.Last})
	}
	return out
}
