package undocmd

import (
	"fmt"
	"strings"
	"time"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/display"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/change"
)

// report is what was undone, or would be: see docs/json.md.
type report struct {
	Path     string        `json:"path"`
	DryRun   bool          `json:"dry_run"`
	Undone   bool          `json:"undone"`
	Change   change.Change `json:"change"` // as it was before
	Original string        `json:"original"`
	UndoneTo string        `json:"undone_to"`
	Loss     *loss         `json:"loss"`
}

// loss is what was written since the change.
type loss struct {
	Files   []string `json:"files"`
	Now     *entry   `json:"now"`  // the last entry of the log in place; null if it can't be told
	Then    *entry   `json:"then"` // that of the original
	Applied *uint64  `json:"applied"`
	text    string
}

type entry struct {
	Term  uint64 `json:"term"`
	Index uint64 `json:"index"`
}

func newReport(a *ui.App, o *options, name string, u *change.Undo) *report {
	r := &report{Path: name, DryRun: o.dryRun, Change: u.Change, Original: shown(a, u.Original), UndoneTo: shown(a, u.UndoneTo)}
	if l := u.Loss; l != nil {
		r.Loss = &loss{Files: l.Files, Now: entryOf(l.Now), Then: entryOf(l.Then), text: l.String()}
		if l.Applied > 0 {
			r.Loss.Applied = &l.Applied
		}
	}
	return r
}

func entryOf(id raftpb.EntryID) *entry {
	if id.Index == 0 {
		return nil
	}
	return &entry{id.Term, id.Index}
}

func (r *report) print(a *ui.App) error {
	f := ui.NewFacts(a.Text()).Wrap(a.Width)
	f.Add("change", "%s, %s: %s", r.Change.Time.Format(time.RFC3339), stateText(r.Change.State), ui.Printable(r.Change.Command))
	for _, line := range r.Change.What {
		f.AddBelow(ui.Printable(line))
	}
	f.Add("original", "%s, %s; every file is what it was", ui.Quote(r.Original), filesText(r.Change.Before))
	if r.Loss != nil {
		f.Add("loss", "%s", ui.Printable(r.Loss.text))
	}
	if r.Undone {
		f.Add("undone", "the original is in place; what was there is kept in %s", ui.Quote(r.UndoneTo))
	} else {
		f.Add("would keep", "what is in place, as %s; nothing was changed", ui.Quote(r.UndoneTo))
	}
	return f.Flush()
}

// stateText is a state as people read it.
func stateText(s change.State) string { return strings.ReplaceAll(string(s), "_", " ") }

// filesText counts files.
func filesText(files []change.File) string {
	size := int64(0)
	for _, f := range files {
		size += f.Size
	}
	if len(files) == 1 {
		return "1 file of " + display.FormatSize(size)
	}
	return fmt.Sprintf("%d files of %s", len(files), display.FormatSize(size))
}
