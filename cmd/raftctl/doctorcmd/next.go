package doctorcmd

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/cmd/raftctl/paths"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/repair/crosscheck"
	"github.com/raftctl/raftctl/snapshot/database"
)

// replaced are the classes of what a member doesn't get over by itself: it has to be added to its cluster anew.
var replaced = []string{
	string(crosscheck.ClassRestarted), string(crosscheck.ClassBehind), string(crosscheck.ClassMissing),
	string(crosscheck.ClassAhead), string(crosscheck.ClassTerm), string(crosscheck.ClassForeign), string(crosscheck.ClassRemoved),
}

// next returns the command lines to go on with behind a finding.
func (v *visit) next(f *repair.Finding) (lines []string) {
	if len(f.Next) > 0 {
		lines = append(lines, v.command(f.Next))
	}
	damaged := f.Check == repair.CheckDatabase && f.Severity == verdict.Error
	switch {
	case f.Class == string(database.ClassAlarm):
		return append(lines, v.command([]string{"snapshot", "status", f.Member.Name, "--top", "20"}), "etcdctl alarm disarm")
	case f.Member == nil || !damaged && !slices.Contains(replaced, f.Class):
		return lines
	}
	return append(lines, v.replace(f)...)
}

// replace returns the command lines that put another member in the place of one: from its cluster if there are
// others, else a new cluster from its database.
func (v *visit) replace(f *repair.Finding) (lines []string) {
	m := f.Member
	if m.Database == nil || m.Report == nil || m.Report.View == nil {
		return nil
	}
	self, others := m.Report.View.Metadata.NodeID, 0
	var own *database.Member
	for i := range m.Database.Members.Members {
		if x := &m.Database.Members.Members[i]; x.ID == self {
			own = x
		} else {
			others++
		}
	}
	switch {
	case others > 0 && own != nil && len(own.PeerURLs) > 0:
		name := own.Name
		if name == "" {
			name = "NAME"
		}
		return []string{
			ui.CommandLine("etcdctl", "member", "remove", fmt.Sprintf("%x", own.ID)),
			ui.CommandLine("etcdctl", "member", "add", name, "--peer-urls", strings.Join(own.PeerURLs, ",")),
		}
	case others == 0 && f.Check == repair.CheckTogether && !m.Place.Archived:
		words := []string{"raftctl", "snapshot", "restore", "--from-member", paths.Typed(m.Name), "--data-dir",
			paths.Typed(filepath.Clean(m.Name) + ".new")}
		if dir := v.o.source.WalDir; dir != "" {
			words = append(words, "--wal", dir)
		}
		return []string{ui.CommandLine(words...)}
	}
	return nil
}

// printCopies says how to copy what has a problem, before anything is tried.
func (v *visit) printCopies() error {
	kv := ui.NewFacts(v.a.Text()).Wrap(v.a.Width)
	first := true
	for _, m := range v.found.Members {
		if m.Verdict != verdict.Problem || m.Place.Archived || m.Running {
			continue
		}
		if first {
			kv.Add("next", "copy first, before anything is tried:")
		}
		first = false
		kv.AddCommand(paths.Copy(v.a, m.Name))
		if dir := v.o.source.WalDir; dir != "" && dir != m.Name {
			kv.AddCommand(paths.Copy(v.a, dir))
		}
	}
	return kv.Flush()
}
