package change

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot/database"
	"github.com/raftctl/raftctl/wal"
)

// Loss is what was written since a change, and is not in what it has replaced.
type Loss struct {
	Files []string       // segments that aren't what the change put there, and why
	Now   raftpb.EntryID // the last entry of the log in place; zero if it can't be told
	Then  raftpb.EntryID // that of the original, likewise

	// Applied is the last entry that the database has applied; 0 if it can't be told.
	Applied uint64
}

// String says it in a line.
func (l *Loss) String() string {
	text := "the log in place has gone on since the change: " + strings.Join(l.Files, ", ")
	if l.Now.Index > 0 {
		text += fmt.Sprintf("; it goes up to entry %v", l.Now)
	}
	if l.Then.Index > 0 {
		text += fmt.Sprintf(", the original up to entry %v", l.Then)
	}
	if l.Applied > 0 {
		text += fmt.Sprintf(", and the database has applied entry %d", l.Applied)
	}
	return text
}

// loss returns what undoing would lose: segments that aren't what the change put there. What else lies in
// the folder, such as a segment that etcd prepared for later, is none.
func (u *Undo) loss(ctx context.Context) (*Loss, error) {
	log := u.o.Place.Log
	if is, err := exists(u.o.FS, log); err != nil || !is {
		return nil, err
	}
	s := summer{fs: u.o.FS, progress: u.o.Progress, lenient: []string{log}}
	got, err := s.folder(log)
	if err != nil {
		return nil, err
	}
	if err := s.sum(ctx, map[string][]File{log: got}); err != nil {
		return nil, err
	}
	files := changed(segments(got), segments(u.Change.After))
	if len(files) == 0 {
		return nil, nil
	}
	l := &Loss{Files: files, Now: lastEntry(ctx, u.o.FS, log), Then: lastEntry(ctx, u.o.FS, u.Original)}
	if name := u.o.Place.database(); name != "" {
		if s, err := database.Glance(ctx, vfs.DirFS(u.o.FS, filepath.Dir(name)), filepath.Base(name)); err == nil {
			l.Applied = s.Meta.ConsistentIndex
		}
	}
	return l, ctx.Err()
}

// changed lists which files aren't those on record.
func changed(got, want []File) (list []string) {
	for _, g := range got {
		one := []File{}
		for _, w := range want {
			if w.Name == g.Name {
				one = []File{w}
			}
		}
		if name, why := differ([]File{g}, one); name != "" {
			list = append(list, name+": "+why)
		}
	}
	for _, w := range want {
		if !hasFile(got, w.Name) {
			list = append(list, w.Name+": it is missing")
		}
	}
	return list
}

func segments(files []File) (list []File) {
	for _, f := range files {
		if strings.HasSuffix(f.Name, datadir.SegmentSuffix) {
			list = append(list, f)
		}
	}
	return list
}

// lastEntry returns the last entry of a log; none if its damage hides that.
func lastEntry(ctx context.Context, fsys vfs.FS, dir string) raftpb.EntryID {
	log, err := wal.Open(vfs.DirFS(fsys, filepath.Dir(dir)), filepath.Base(dir))
	if err != nil {
		return raftpb.EntryID{}
	}
	defer func() { _ = log.Close() }() // opened for reading
	report, err := log.Verify(ctx, wal.VerifyOptions{})
	if err != nil {
		return raftpb.EntryID{}
	}
	return report.Last
}
