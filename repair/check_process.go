package repair

import (
	"io/fs"
	"path"

	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/internal/vfs"
)

// lookForProcess finds out whether a running process holds the files: the locks that etcd takes tell, those
// on its database and on the last segment of its log. Nothing is locked for that, not even for a moment.
func (x *examination) lookForProcess() {
	if p := x.databasePlace(); p.State == datadir.Present && !x.Place.Archived {
		x.look(p.FS, p.Path)
	}
	if x.Log == nil || x.Place.Archived || x.Running {
		return
	}
	segs := x.Log.Segments()
	x.look(x.Log.FS(), path.Join(x.Log.Dir(), segs[len(segs)-1].File))
}

func (x *examination) look(fsys fs.FS, name string) {
	f, _, err := vfs.OpenRegular(fsys, name)
	if err != nil {
		return // told where the file is read
	}
	defer func() { _ = f.Close() }() // opened for reading
	if hold, err := vfs.Held(f); err == nil && hold.Held {
		x.Running, x.PID = true, hold.PID
	}
}
