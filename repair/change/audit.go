package change

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/staging"
)

// kind is what an event says.
type kind string

// The kinds of events. A change in place begins, and is done or taken back; that a later undoing begins
// and is done, too, is on record. A result that lies elsewhere is made.
const (
	kindBegun     kind = "begun"
	kindDone      kind = "done"
	kindTakenBack kind = "taken_back"
	kindUndoBegun kind = "undo_begun"
	kindUndone    kind = "undone"
	kindMade      kind = "made"
)

// event is a line of the audit file. Names of files and folders are without the folder that they lie in:
// those of the log's folders lie beside it, the others in the folder of snapshot files.
type event struct {
	Event   kind      `json:"event"`
	ID      string    `json:"id"` // of the change
	Time    time.Time `json:"time"`
	Command string    `json:"command,omitempty"`
	Version string    `json:"version,omitempty"`
	What    []string  `json:"what,omitempty"`
	Plan    string    `json:"plan,omitempty"`
	Source  string    `json:"source,omitempty"` // of a result that was made

	Log         string    `json:"log,omitempty"`           // the folder, as the machine called it
	Elsewhere   bool      `json:"log_elsewhere,omitempty"` // that isn't member/wal in the data directory
	Staged      string    `json:"staged,omitempty"`        // the folder beside it in which the new one was made
	Kept        string    `json:"kept,omitempty"`          // the folder that is kept: of the old log, or of the one that undo took out
	Before      []File    `json:"before,omitempty"`        // the files of the old log
	After       []File    `json:"after,omitempty"`         // those of the new one
	Added       []File    `json:"added,omitempty"`         // snapshot files that were not there
	Quarantined []Renamed `json:"quarantined,omitempty"`
}

// Renamed is a snapshot file that got another name.
type Renamed struct {
	File
	To string `json:"to"`
}

// auditMax is how large an audit file may be that is read, in bytes. A change of a log of a thousand
// segments takes 300 KB.
const auditMax = 256 << 20

// readAudit returns the events on record, and how many lines say nothing: of a line that was never
// finished, what it was about has never begun. A file that is missing has none.
func readAudit(fsys vfs.FS, name string) (events []event, torn int, err error) {
	f, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = f.Close() }() // opened for reading
	text, err := io.ReadAll(io.LimitReader(f, auditMax))
	if err != nil {
		return nil, 0, err
	}
	for line := range bytes.Lines(text) {
		var e event
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if line[len(line)-1] != '\n' || json.Unmarshal(line, &e) != nil || !e.valid() {
			torn++
			continue
		}
		events = append(events, e)
	}
	return events, torn, nil
}

// appendAudit puts an event on record, for good. After an error it isn't on record.
func appendAudit(fsys vfs.FS, p Place, e *event) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	name := p.Audit()
	there, err := exists(fsys, name)
	if err != nil {
		return err
	}
	if err = appendLine(fsys, name, append(line, '\n')); err == nil && !there {
		err = settleAudit(fsys, name)
	}
	if err != nil && !there {
		_ = fsys.Remove(name)
	}
	return err
}

// appendLine appends a line to a file and syncs it. A line that was never finished is ended first.
func appendLine(fsys vfs.FS, name string, line []byte) error {
	f, err := fsys.OpenFile(name, os.O_RDWR|os.O_CREATE, staging.FileMode)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // what counts is synced
	info, err := f.Stat()
	if err != nil {
		return err
	}
	size := info.Size()
	if size > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, size-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			line = append([]byte{'\n'}, line...)
		}
	}
	if _, err = f.WriteAt(line, size); err == nil {
		err = f.Sync()
	}
	if err != nil {
		_ = f.Truncate(size)
	}
	return err
}

// settleAudit makes a new audit file durable, and gives it to the owner of the folder.
func settleAudit(fsys vfs.FS, name string) error {
	dir := filepath.Dir(name)
	info, err := fsys.Stat(dir)
	if err != nil {
		return err
	}
	_ = vfs.Adopt(fsys, name, info, staging.FileMode) // to whom it belongs changes nothing
	return fsys.SyncDir(dir)
}
