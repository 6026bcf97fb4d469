package walcmd

import (
	"fmt"
	"strings"

	"github.com/raftctl/raftctl/cmd/raftctl/paths"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/wal"
)

// This file is the only one that says what to do next, and with which commands.

// adviser knows what a user typed, so as to return commands that can be typed.
type adviser struct {
	app    *ui.App
	source *paths.Options
	path   string
	report *outlook.Report
	member *datadir.Member
}

// advise says what to do about a log that has a problem, or that no etcd runs on: what starting etcd
// would do, how to copy what is there before anything else is tried, and what tells what can be done.
func (d *adviser) advise(kv *ui.Facts) {
	problem := d.report.Verdict == wal.VerdictProblem
	if !problem && (d.report.Runs() || d.report.Unknown()) {
		return
	}
	kv.Add("next", "%s", d.starting())
	if copies := d.copies(); problem && len(copies) > 0 {
		kv.Add("", "copy first, before anything is tried:")
		for _, line := range copies {
			kv.AddCommand(line)
		}
	}
	if problem {
		kv.Add("", "what can be done about it, and what that costs; nothing is written:")
		kv.AddCommand(d.source.Command("wal repair", d.path))
	}
}

// starting says whether etcd should be started on the files.
func (d *adviser) starting() string {
	if loss := d.report.Loss(); loss != nil {
		return "don't start etcd: " + lossText(loss)
	}
	text := "starting etcd loses no entry that is here; the outlook says which releases start"
	if cut := d.report.Cuts(); cut != nil {
		text = fmt.Sprintf("etcd %s cuts off the unfinished write at the end, and loses no entry that "+
			"is here", cut.Read.Releases())
	}
	switch {
	case !d.report.Runs() && d.report.Unknown():
		return "what etcd would do with it can't be told from what is here: see the outlook"
	case !d.report.Runs():
		return "no release of etcd runs on these files as they are: see the outlook, and keep them"
	case d.report.LostEnd():
		return "don't start etcd: the end of this log is lost, and with it what the member promised to " +
			"the others; look for a newer copy"
	case d.report.CutShort():
		text += "; what was behind it is missing: if this is a copy, copy again"
	}
	return text
}

// lossText says what a start costs.
func lossText(loss *outlook.Loss) string {
	does := "would leave out"
	if loss.Action == wal.ActionDropsEnd {
		does = "would cut off"
	}
	committed := "none known to be committed"
	if loss.Commits > 0 {
		committed = ui.Count(loss.Commits) + " committed"
	}
	bytes := "their bytes are here, not all proven intact"
	if loss.Intact {
		bytes = "their bytes are intact here"
	}
	return fmt.Sprintf("%s %s %s (%s; %s)", loss.Releases(), does, rangesText(loss.Lost), committed, bytes)
}

// rangesText names the first of some ranges.
func rangesText(ranges []wal.IndexRange) string {
	const most = 4
	var names []string
	for _, r := range ranges[:min(len(ranges), most)] {
		names = append(names, r.String())
	}
	if more := len(ranges) - most; more > 0 {
		names = append(names, fmt.Sprintf("%d ranges more", more))
	}
	return strings.Join(names, ", ")
}

// copies returns the commands that copy the member's files; none for those in an archive.
func (d *adviser) copies() (lines []string) {
	if d.member.Archived {
		return nil
	}
	lines = append(lines, paths.Copy(d.app, d.path))
	if dir := d.source.WalDir; dir != "" && dir != d.path {
		lines = append(lines, paths.Copy(d.app, dir))
	}
	return lines
}

// around is how many bytes before and behind a place are worth a look, where entries don't tell.
const around = 1024

// look returns the command that shows what lies around a finding. It is empty where the finding is
// not about a place in the log.
func (d *adviser) look(f *wal.Finding) string {
	if !d.inLog(f.Pos.Segment) {
		return ""
	}
	if span, ok := spanAround(f); ok {
		return d.source.Command("wal dump", d.path, "--physical", "--index", span)
	}
	where := fmt.Sprintf("offset >= %d && offset <= %d", max(0, f.Pos.Off-around), f.Pos.Off+f.Len+around)
	if len(d.report.Segments) > 1 {
		where = fmt.Sprintf("segment == %q && %s", f.Pos.Segment, where)
	}
	return d.source.Command("wal dump", d.path, "--physical", "--where", where)
}

// spanAround returns the indexes around a finding. They are of no use where they are unknown, or where
// they go back or leap, as those of another log do.
func spanAround(f *wal.Finding) (span string, ok bool) {
	const leap = 1000
	first, last := f.Before.Index, f.After.Index
	if last == 0 {
		last = first
	}
	if first == 0 {
		first = last
	}
	if first == 0 || last < first || last-first > leap {
		return "", false
	}
	return fmt.Sprintf("%d..%d", max(first, 2)-1, last+1), true
}

// inLog reports whether a file is a segment of the log.
func (d *adviser) inLog(file string) bool {
	for i := range d.report.Segments {
		if d.report.Segments[i].File == file {
			return true
		}
	}
	return false
}
