package edit

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/wal"
)

// Overlay is the file system of a log as it will be once segments are corrected, dropped and renamed. So a
// plan is checked by the same reader as any log, before anything is written.
type Overlay struct {
	fs.FS
	dir     string   // of the segments
	snapDir string   // of the .snap files
	aside   []string // .snap files that are put aside
	added   []SnapFile
	patches map[string][]Patch // by segment, as the source names it
	names   map[string]string  // of segments that have another name than in the source; "" for those dropped
}

// Lay lays changes over a log. Whatever a plan writes anew is not seen.
func Lay(log *wal.Log, c *Changes) *Overlay {
	o := &Overlay{FS: log.FS(), dir: log.Dir(), patches: map[string][]Patch{}, names: map[string]string{}}
	o.aside, o.added = c.Quarantine, c.Snapshots
	if p := log.Member().Snap; p.State == datadir.Present && p.FS == o.FS {
		o.snapDir = p.Path
	}
	for _, p := range c.Patches {
		o.Add(p)
	}
	for _, r := range c.Rename {
		o.names[r.From] = r.To
	}
	for _, file := range c.Drop { // whatever it was renamed to before
		o.names[file] = ""
	}
	return o
}

// Log opens the log as it will be. Its Close closes nothing of the source's.
func (o *Overlay) Log(source *wal.Log) (*wal.Log, error) {
	m := source.Member().Borrow()
	m.Log.FS = o
	if o.snapDir != "" {
		m.Snap.FS = o
	}
	return wal.OpenMember(m)
}

// source returns the name in the source of a file; ok is false if there is no such file any more.
func (o *Overlay) source(name string) (string, bool) {
	if path.Dir(name) != o.dir {
		return name, true
	}
	base := path.Base(name)
	for from, to := range o.names {
		if to == base {
			return path.Join(o.dir, from), true
		}
	}
	_, gone := o.names[base]
	return name, !gone
}

// Add lays one more correction over the log.
func (o *Overlay) Add(p Patch) { o.patches[p.Segment] = append(o.patches[p.Segment], p) }

// Open implements [fs.FS].
func (o *Overlay) Open(name string) (fs.File, error) {
	if o.snapDir != "" && path.Dir(name) == o.snapDir {
		if s := o.addedFile(path.Base(name)); s != nil {
			return newMemFile(s), nil
		}
	}
	from, ok := o.source(name)
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	f, err := o.FS.Open(from)
	if err != nil || path.Dir(name) != o.dir {
		return f, err
	}
	info, err := f.Stat()
	if err != nil || info.IsDir() {
		return f, err
	}
	r, ok := f.(io.ReaderAt)
	if !ok {
		return nil, fmt.Errorf("%s: can't be read at an offset", name)
	}
	// Locks are not seen through it: those of raftctl itself would make the log look like a running etcd's.
	return &correctedFile{File: f, r: r, patches: o.patches[path.Base(from)], info: renamedInfo{info, path.Base(name)}}, nil
}

// ReadDir implements [fs.ReadDirFS].
func (o *Overlay) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(o.FS, name)
	if err == nil && o.snapDir != "" && name == o.snapDir {
		return o.readSnapDir(entries), nil
	}
	if err != nil || name != o.dir {
		return entries, err
	}
	out := make([]fs.DirEntry, 0, len(entries))
	for _, e := range entries {
		to, changed := o.names[e.Name()]
		switch {
		case !changed:
			out = append(out, e)
		case to != "":
			info, err := e.Info()
			if err != nil {
				return nil, err
			}
			out = append(out, fs.FileInfoToDirEntry(renamedInfo{info, to}))
		}
	}
	slices.SortFunc(out, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return out, nil
}

// readSnapDir returns the folder of snapshot files as it will be.
func (o *Overlay) readSnapDir(entries []fs.DirEntry) []fs.DirEntry {
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		return slices.Contains(o.aside, e.Name()) || o.addedFile(e.Name()) != nil
	})
	for i := range o.added {
		entries = append(entries, fs.FileInfoToDirEntry(newMemFile(&o.added[i])))
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries
}

// addedFile returns the file of a name that is added; nil if it isn't one.
func (o *Overlay) addedFile(name string) *SnapFile {
	for i := range o.added {
		if o.added[i].Name == name {
			return &o.added[i]
		}
	}
	return nil
}

// renamedInfo is a file's under another name.
type renamedInfo struct {
	fs.FileInfo
	name string
}

func (i renamedInfo) Name() string { return i.name }

// correctedFile is a file in which some bytes are others.
type correctedFile struct {
	fs.File
	r       io.ReaderAt
	patches []Patch
	info    fs.FileInfo
}

func (f *correctedFile) Stat() (fs.FileInfo, error) { return f.info, nil }

// ReadAt implements [io.ReaderAt].
func (f *correctedFile) ReadAt(b []byte, off int64) (int, error) {
	n, err := f.r.ReadAt(b, off)
	for i := range f.patches {
		overwrite(b[:n], off, &f.patches[i])
	}
	return n, err
}

// overwrite puts the part of a patch that lies within b, which begins at off, into it.
func overwrite(b []byte, off int64, p *Patch) {
	lo, hi := max(p.Off, off), min(p.Off+int64(len(p.New)), off+int64(len(b)))
	if lo < hi {
		copy(b[lo-off:hi-off], p.New[lo-p.Off:hi-p.Off])
	}
}
