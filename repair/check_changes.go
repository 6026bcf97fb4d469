package repair

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/change"
)

// checkChanges reads what was changed at the member by raftctl, and tells what was interrupted. That is told
// by names that lie where etcd doesn't look, so that an archive has none.
func (x *examination) checkChanges() {
	if x.isFile() || x.Place.Archived || x.Place.Single {
		return
	}
	at, err := change.Locate(vfs.OS, absolute(x.Name, x.dir), absolute(x.walDir, x.dir))
	if err == nil {
		x.Changes, err = change.History(vfs.OS, at)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		x.unchecked(CheckLog, filepath.Base(at.Audit()), fmt.Sprintf("what was changed here is not known: %v", err))
	}
	for i := range x.Changes {
		c := &x.Changes[i]
		f := Finding{Class: ClassInterrupted, Severity: verdict.Error, Check: CheckLog, File: filepath.Base(at.Audit()),
			Next: []string{"undo", x.Name}}
		switch c.State {
		case change.HalfDone:
			f.Evidence = fmt.Sprintf("%s was interrupted at %s: the log may be the old one, the new one, or out of place",
				c.Command, c.Time.UTC().Format(timeFormat))
			f.Advice = "take it back before anything else, and don't start etcd until then"
		case change.HalfUndone:
			f.Evidence = fmt.Sprintf("undoing %s of %s was interrupted", c.Command, c.Time.UTC().Format(timeFormat))
			f.Advice = "undo goes on where it was interrupted; don't start etcd until then"
		default:
			continue
		}
		x.add(f)
	}
}

const timeFormat = "2006-01-02 15:04:05Z"
