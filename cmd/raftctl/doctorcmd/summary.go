package doctorcmd

import (
	"fmt"
	"strings"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/display"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/snapshot"
)

// summaries say of each check what was looked at. What isn't there has none.
var summaries = map[repair.Check]func(m *repair.Examined) string{
	repair.CheckLog:       logSummary,
	repair.CheckSnapshots: snapSummary,
	repair.CheckDatabase:  databaseSummary,
	repair.CheckTogether:  togetherSummary,
	repair.CheckMembers:   membersSummary,
	repair.CheckStart:     startSummary,
}

func logSummary(m *repair.Examined) string {
	r := m.Report
	if r == nil {
		return ""
	}
	size := fmt.Sprintf("%d %s, %s", len(r.Segments), ui.Plural(len(r.Segments), "segment"), display.FormatSize(r.Bytes))
	if r.Last.Index == 0 {
		return "no entries; " + size
	}
	return fmt.Sprintf("entries %d..%d, last of term %d, committed up to %d; %s", r.First.Index, r.Last.Index,
		r.Last.Term, r.Commit(), size)
}

func snapSummary(m *repair.Examined) string {
	n, newest := 0, (*snapshot.File)(nil)
	for i := range m.Files {
		f := &m.Files[i]
		if f.Kind != snapshot.KindSnapshot && f.Kind != snapshot.KindMisnamed {
			continue
		}
		if n++; newest == nil && f.Verdict == verdict.OK {
			newest = f
		}
	}
	if n == 0 {
		return "none"
	}
	text := fmt.Sprintf("%s %s", ui.Count(n), ui.Plural(n, "file"))
	if newest != nil {
		text += fmt.Sprintf("; the newest intact one ends with entry %d", newest.Metadata.Index)
	}
	return text
}

func databaseSummary(m *repair.Examined) string {
	r := m.DatabaseReport
	if r == nil {
		return ""
	}
	return fmt.Sprintf("revision %d, %s %s; %s", r.Revision, ui.Count(r.Keys), ui.Plural(int(r.Keys), "key"),
		display.FormatSize(r.Bytes))
}

func togetherSummary(m *repair.Examined) string {
	if m.Report == nil || m.DatabaseReport == nil {
		return ""
	}
	return fmt.Sprintf("the database has applied entries up to %d of %d", m.DatabaseReport.Meta.ConsistentIndex, m.Report.Last.Index)
}

// membersSummary names the members, and which one the files are of.
func membersSummary(m *repair.Examined) string {
	if m.Database == nil || len(m.Database.Members.Members) == 0 {
		return ""
	}
	const most = 9
	self := uint64(0)
	if m.Report != nil && m.Report.View != nil {
		self = m.Report.View.Metadata.NodeID
	}
	var names []string
	list := m.Database.Members.Members
	for _, x := range list[:min(len(list), most)] {
		name := fmt.Sprintf("%x", x.ID)
		if x.Name != "" {
			name += " " + x.Name
		}
		if x.Learner {
			name += " (learner)"
		}
		if x.ID == self {
			name += " (this one)"
		}
		names = append(names, ui.Printable(name))
	}
	if more := len(list) - most; more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}

// startSummary says which releases start on the files.
func startSummary(m *repair.Examined) string {
	if m.Report == nil {
		return ""
	}
	var parts []string
	for _, o := range outlook.Fold(m.Report.Outlooks) {
		parts = append(parts, fmt.Sprintf("%s %s", o.Read.Releases(), o.Action))
	}
	text := "etcd " + strings.Join(parts, "; ")
	if together, _ := m.Result(repair.CheckTogether); together == verdict.Problem {
		text += "; by the log alone: see together"
	}
	return text
}

// clusterSummary says which member is furthest.
func clusterSummary(c *repair.Cluster) string {
	if c.Furthest == nil {
		return ""
	}
	return fmt.Sprintf("%s is furthest, up to entry %d (term %d); committed up to %d", ui.Printable(c.Furthest.Name),
		c.Last.Index, c.Last.Term, c.Commit.Index)
}
