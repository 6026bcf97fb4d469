package change

import (
	"slices"
	"strings"
	"time"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/staging"
)

// State is how far a change has come.
type State string

// The states of changes.
const (
	Made       State = "made"        // a result that lies elsewhere than what it was made of
	Done       State = "done"        // in place; it can be undone
	HalfDone   State = "half_done"   // interrupted; undo takes it back
	TakenBack  State = "taken_back"  // it failed, and all is as it was
	HalfUndone State = "half_undone" // undo was interrupted; it goes on when it is run again
	Undone     State = "undone"
)

// Change is one change on record.
type Change struct {
	ID      string    `json:"id"`
	State   State     `json:"state"`
	Time    time.Time `json:"time"`
	Command string    `json:"command"`
	Version string    `json:"version"`
	What    []string  `json:"what"`
	Plan    string    `json:"plan,omitempty"`
	Source  string    `json:"source,omitempty"`

	Log       string     `json:"log"`            // the folder of segments
	Kept      string     `json:"kept,omitempty"` // the folder in which the original is kept, as long as it isn't undone
	KeptThere bool       `json:"kept_there"`     // it is still there
	UndoneAt  *time.Time `json:"undone_at,omitempty"`
	UndoneTo  string     `json:"undone_to,omitempty"` // the folder in which the log is kept that undo took out

	Before      []File    `json:"before"` // the files of the old log
	After       []File    `json:"after"`  // those of the new one
	Added       []File    `json:"added,omitempty"`
	Quarantined []Renamed `json:"quarantined,omitempty"`

	begun *event
}

// newChange returns a change that has just begun, or a result that is made.
func newChange(at Place, e *event) *Change {
	c := &Change{ID: e.ID, State: HalfDone, Time: e.Time, Command: e.Command, Version: e.Version, What: e.What,
		Plan: e.Plan, Source: e.Source, Log: at.Log, Before: e.Before, After: e.After, Added: e.Added,
		Quarantined: e.Quarantined, begun: e}
	if e.Event == kindMade {
		c.State = Made
	}
	if c.Before == nil {
		c.Before = []File{}
	}
	if c.What == nil {
		c.What = []string{}
	}
	if e.Kept != "" {
		c.Kept = at.beside(e.Kept)
	}
	return c
}

// History returns the changes on record at a place, oldest first, also those that are undone.
func History(fsys vfs.FS, at Place) ([]Change, error) {
	events, _, err := readAudit(fsys, at.Audit())
	if err != nil {
		return nil, err
	}
	list := fold(at, events)
	for i := range list {
		c := &list[i]
		if c.Kept == "" || c.State == Undone || c.State == TakenBack {
			continue
		}
		if c.KeptThere, err = exists(fsys, c.Kept); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// fold makes changes of events.
func fold(at Place, events []event) (list []Change) {
	for i := range events {
		e := &events[i]
		if e.Event == kindBegun || e.Event == kindMade {
			list = append(list, *newChange(at, e))
			continue
		}
		n := slices.IndexFunc(list, func(c Change) bool { return c.ID == e.ID })
		if n < 0 {
			continue // what it was about is not on record any more
		}
		switch c := &list[n]; e.Event {
		case kindDone:
			c.State = Done
		case kindTakenBack:
			c.State = TakenBack
		case kindUndoBegun:
			c.State, c.UndoneTo = HalfUndone, at.beside(e.Kept)
		case kindUndone:
			c.State, c.UndoneAt = Undone, &e.Time
		}
	}
	return list
}

// valid reports whether an event's names are names: what is renamed and removed lies where it should.
func (e *event) valid() bool {
	names := []string{e.Staged, e.Kept}
	for _, q := range e.Quarantined {
		names = append(names, q.Name, q.To)
	}
	for _, f := range e.Added {
		names = append(names, f.Name)
	}
	for _, name := range names {
		if name == "." || name == ".." || strings.ContainsAny(name, "/\\") {
			return false
		}
	}
	if e.Event == kindBegun && (e.Kept == "" || !strings.Contains(e.Staged, string(staging.Changing))) {
		return false
	}
	return e.ID != "" && (e.Event != kindUndoBegun || e.Kept != "")
}

// Leftovers returns the folders that changes have left that were killed before they were on record, or behind their
// end: they are nobody's result, and can be removed unless such a change still runs. What undo needs to take back
// an interrupted one is not among them.
func Leftovers(fsys vfs.FS, at Place) ([]string, error) {
	changes, err := History(fsys, at)
	if err != nil {
		return nil, err
	}
	list := staging.Leftovers(fsys, staging.Changing, "", at.Log)
	if at.Snap != "" {
		list = append(list, staging.Leftovers(fsys, staging.Changing, "", at.Snap)...)
	}
	for _, c := range changes {
		if c.State == HalfDone || c.State == HalfUndone {
			b := putBack{fs: fsys, at: at, e: c.begun}
			list = slices.DeleteFunc(list, func(dir string) bool { return slices.Contains(b.folders(), dir) })
		}
	}
	return list, nil
}
