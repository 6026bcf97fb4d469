package undocmd

import (
	"bytes"
	"fmt"
	"time"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/repair/change"
)

// listing is what `undo --list` prints: see docs/json.md.
type listing struct {
	Path    string          `json:"path"`
	Audit   string          `json:"audit"`
	Changes []change.Change `json:"changes"`
}

func runList(a *ui.App, o *options, name string) error {
	at, err := o.locate(a, name)
	if err != nil {
		return err
	}
	l := &listing{Path: name, Audit: shown(a, at.Audit()), Changes: []change.Change{}}
	changes, err := change.History(a.FS, at)
	if err != nil {
		return err
	}
	l.Changes = append(l.Changes, changes...)
	return o.output.Write(a.Out, l, func() error { return l.print(a) })
}

func (l *listing) print(a *ui.App) error {
	var b bytes.Buffer
	t := ui.NewHeldTable(ui.TextColumn("TIME"), ui.TextColumn("STATE"), ui.TextColumn("ORIGINAL"), ui.TextColumn("WHAT"))
	for i := range l.Changes {
		c := &l.Changes[i]
		t.Add(c.Time.Format(time.RFC3339), stateText(c.State), original(a, c), what(c))
	}
	t.Print(&b, a.Screen())
	text := bytes.TrimPrefix(b.Bytes(), []byte("\n"))
	if len(l.Changes) == 0 {
		text = fmt.Appendf(nil, "no changes: there is nothing on record in %s\n", ui.Quote(l.Audit))
	}
	_, err := a.Text().Write(text)
	return err
}

// original says where the original of a change is.
func original(a *ui.App, c *change.Change) string {
	switch {
	case c.State == change.Made:
		return ui.Printable(c.Source)
	case c.State == change.Undone || c.State == change.TakenBack:
		return "in place"
	case c.State != change.Done:
		return "undo finds it"
	case !c.KeptThere:
		return ui.Printable(shown(a, c.Kept)) + ": gone"
	}
	return ui.Printable(shown(a, c.Kept))
}

// what says in a line what was done.
func what(c *change.Change) string {
	switch n := len(c.What); n {
	case 0:
		return ui.Printable(c.Command)
	case 1:
		return ui.Printable(c.What[0])
	default:
		return fmt.Sprintf("%s, and %d more", ui.Printable(c.What[0]), n-1)
	}
}
