package doctorcmd

import (
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/repair/change"
)

// The JSON of `doctor`: see docs/json.md.
type doctorJSON struct {
	Verdict  verdict.Verdict `json:"verdict"`
	Members  []memberJSON    `json:"members"`
	Cluster  *clusterJSON    `json:"cluster,omitempty"`
	Log      *logJSON        `json:"etcd_log,omitempty"`
	Findings []findingJSON   `json:"findings"`
}

type memberJSON struct {
	Path    string          `json:"path"`
	Verdict verdict.Verdict `json:"verdict"`
	Error   string          `json:"error,omitempty"`
	Running bool            `json:"running"`
	PID     int             `json:"pid,omitempty"`
	Checks  []checkJSON     `json:"checks"`
	FoundBy string          `json:"found_by,omitempty"`
	Changes []change.Change `json:"changes,omitempty"`
	Omitted map[string]int  `json:"omitted,omitempty"`
}

type clusterJSON struct {
	Verdict   verdict.Verdict `json:"verdict"`
	Summary   string          `json:"summary"`
	Furthest  string          `json:"furthest,omitempty"`
	LastIndex uint64          `json:"last_index"`
	LastTerm  uint64          `json:"last_term"`
	Commit    uint64          `json:"commit"`
}

type checkJSON struct {
	Check   repair.Check    `json:"check"`
	Verdict verdict.Verdict `json:"verdict"`
	Summary string          `json:"summary"`
}

type findingJSON struct {
	Class    string           `json:"class"`
	Severity verdict.Severity `json:"severity"`
	Check    repair.Check     `json:"check"`
	Path     string           `json:"path,omitempty"`
	File     string           `json:"file"`
	Offset   int64            `json:"offset"`
	Damaged  int64            `json:"damaged,omitempty"`
	Page     uint64           `json:"page,omitempty"`
	First    uint64           `json:"first_index,omitempty"`
	Last     uint64           `json:"last_index,omitempty"`
	Evidence string           `json:"evidence"`
	Releases []string         `json:"releases,omitempty"`
	Advice   string           `json:"advice,omitempty"`
	Next     []string         `json:"next,omitempty"`
	Lost     []lostJSON       `json:"lost,omitempty"`
	LostMore uint64           `json:"lost_more,omitempty"`
	Remedies []remedyJSON     `json:"remedies,omitempty"`
}

type remedyJSON struct {
	Remedy string       `json:"remedy"`
	Does   string       `json:"does"`
	Cost   *repair.Cost `json:"cost"`
}

type lostJSON struct {
	Term      uint64 `json:"term"`
	Index     uint64 `json:"index"`
	Committed bool   `json:"committed"`
	Applied   bool   `json:"applied"`
	Proven    bool   `json:"proven"`
	Summary   string `json:"summary,omitempty"`
}

func (v *visit) json() *doctorJSON {
	j := &doctorJSON{Verdict: v.found.Verdict, Log: v.logJSON(), Members: []memberJSON{}, Findings: []findingJSON{}}
	for _, m := range v.found.Members {
		x := memberJSON{Path: m.Name, Verdict: m.Verdict, Running: m.Running, PID: m.PID, Omitted: m.Omitted,
			FoundBy: v.by, Changes: m.Changes,
			Checks: []checkJSON{}}
		for _, c := range m.Checks {
			x.Checks = append(x.Checks, checkJSON{c.Check, c.Verdict, summaries[c.Check](m)})
		}
		j.Members = append(j.Members, x)
	}
	for _, u := range v.unread {
		j.Members = append(j.Members, memberJSON{Path: u.path, Verdict: verdict.Unchecked, Error: ui.OneLine(u.err),
			Checks: []checkJSON{}})
	}
	switch by := v.logVerdict(); {
	case by == verdict.Problem:
		j.Verdict = verdict.Problem
	case (len(v.unread) > 0 || by == verdict.Unchecked) && j.Verdict == verdict.OK:
		j.Verdict = verdict.Unchecked
	}
	if c := v.found.Cluster; c != nil {
		j.Cluster = &clusterJSON{Verdict: c.Verdict, Summary: clusterSummary(c), LastIndex: c.Last.Index,
			LastTerm: c.Last.Term, Commit: c.Commit.Index}
		if c.Furthest != nil {
			j.Cluster.Furthest = c.Furthest.Name
		}
	}
	for i := range v.found.Findings {
		j.Findings = append(j.Findings, v.findingJSON(&v.found.Findings[i]))
	}
	return j
}

func (v *visit) findingJSON(f *repair.Finding) findingJSON {
	j := findingJSON{Class: f.Class, Severity: f.Severity, Check: f.Check, File: f.File, Offset: f.Off,
		Damaged: f.Len, First: f.Entries.First, Last: f.Entries.Last, Evidence: f.Evidence, Releases: f.Releases,
		Advice: f.Advice, Next: v.next(f), LostMore: f.LostMore}
	if f.Member != nil {
		j.Path = f.Member.Name
	}
	if f.Database != nil {
		j.Page = f.Database.Page
	}
	for _, l := range f.Lost {
		j.Lost = append(j.Lost, lostJSON{l.ID.Term, l.ID.Index, l.Committed, l.Applied, l.Proven, l.Summary})
	}
	for _, r := range f.Remedies {
		j.Remedies = append(j.Remedies, remedyJSON(r))
	}
	return j
}
