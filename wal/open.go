package wal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/internal/vfs"
)

// maxOpen is the number of segments up to which a log holds all its files open, so that it can be
// read to its end even if a running etcd removes old segments meanwhile. etcd keeps five by
// default. The segments of longer logs are opened one by one.
const maxOpen = 256

// maxListings is how often a directory is listed again because files vanished from it.
const maxListings = 8

// Segment is one file of a log.
type Segment struct {
	Name SegmentName // zero if the log is a single file with another name
	File string      // file name, without directory
	Size int64       // in bytes, when the log was opened
}

// Log is an open log. It never writes, and takes no lock. Its methods may be called concurrently.
type Log struct {
	dialect  *Dialect
	fsys     fs.FS
	dir      string // the directory of the segments within fsys
	still    bool   // nobody writes to it: the caller holds its locks
	single   bool   // opened as one file: its name need not be that of a segment
	segments []Segment
	files    []segmentHandle // nil for those that are opened when they are read
	spares   []string
	ignored  []string
	member   *datadir.Member
}

// segmentHandle is a segmentFile as a file system opens it.
type segmentHandle interface {
	segmentFile
	io.Closer
}

// Open opens the log at name, which is one of
//
//   - a data directory of etcd: one with a member/wal in it, or a directory that holds exactly one;
//   - a member directory, or a directory of segments;
//   - a single segment;
//   - a tar archive of any of these, perhaps compressed with zstd, gzip, s2 or framed snappy, or a
//     compressed segment. What a file is depends on its content, not on its name. A path may lead
//     on into the archive, as in "backup.tar.zst/m1".
//
// It works on the directory of a running etcd: sizes are those at the time of the call, but the
// last segment is read as far as it goes.
//
// Snapshot files are looked for beside the segments' directory, so that fsys should reach that far.
//
// The error is ErrNoLog if there is no log at name, ErrEmpty if it is a file without a byte,
// ErrSeveralLogs if name doesn't say which one, or that of fsys.
func Open(fsys fs.FS, name string) (*Log, error) { return Etcd.Open(fsys, name) }

// Open opens the log of the dialect at name, as the function Open does for etcd's.
func (d *Dialect) Open(fsys fs.FS, name string) (*Log, error) {
	l, err := d.open(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return l, nil
}

func (d *Dialect) open(fsys fs.FS, name string) (*Log, error) {
	m, err := datadir.Find(fsys, name, datadir.Options{Suffix: d.suffix})
	if err != nil {
		return nil, err
	}
	return d.OpenMember(m)
}

// OpenMember opens the log of a member that was found already, for callers in this module. The log
// owns the member from then on: Close closes it too, and so does OpenMember if it fails.
func OpenMember(m *datadir.Member) (*Log, error) { return Etcd.OpenMember(m) }

// OpenMember opens the log of the dialect of a member that was found already, as the function OpenMember does for
// etcd's.
func (d *Dialect) OpenMember(m *datadir.Member) (*Log, error) {
	l := &Log{dialect: d, fsys: m.Log.FS, dir: m.Log.Path, member: m}
	if err := l.openFound(); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return l, nil
}

func (l *Log) openFound() error {
	if l.member.Log.State != datadir.Present {
		return l.member.Log.Err
	}
	if l.member.Single {
		return l.openSingle()
	}
	return l.openDir()
}

// bare strips operation and path from an error that is about to be told with the path.
func bare(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// openDir opens the segments in a directory.
func (l *Log) openDir() error {
	var err error
	for range maxListings {
		if err = l.list(); err != nil {
			return err
		}
		if err = l.openFiles(); !errors.Is(err, fs.ErrNotExist) {
			break // else a segment was removed between the two
		}
	}
	if err != nil {
		l.closeFiles()
	}
	return err
}

// list sorts the files of the directory into segments and others.
func (l *Log) list() error {
	entries, err := fs.ReadDir(l.fsys, l.dir)
	if err != nil {
		return bare(err)
	}
	l.segments, l.spares, l.ignored = nil, nil, nil
	for _, e := range entries {
		name, ok := l.dialect.readFileName(e.Name())
		switch {
		case ok && datadir.MayBeSegment(e):
			l.segments = append(l.segments, Segment{Name: name, File: e.Name()})
		case strings.HasSuffix(e.Name(), spareSuffix):
			l.spares = append(l.spares, e.Name())
		default:
			l.ignored = append(l.ignored, e.Name())
		}
	}
	if len(l.segments) == 0 {
		return fmt.Errorf("%w: no segments in %s", ErrNoLog, l.member.Log.Name)
	}
	slices.SortFunc(l.segments, func(a, b Segment) int { return strings.Compare(a.File, b.File) })
	return nil
}

const spareSuffix = ".tmp"

// openFiles opens the segments, the oldest ones first, since those may vanish.
func (l *Log) openFiles() error {
	l.closeFiles()
	l.files = make([]segmentHandle, len(l.segments))
	for i := range l.segments {
		f, err := l.openFile(i)
		if err != nil {
			return err
		}
		info, err := f.Stat()
		if err != nil {
			return errors.Join(err, f.Close())
		}
		l.segments[i].Size = info.Size()
		if len(l.segments) > maxOpen {
			_ = f.Close() // opened for reading: nothing can be lost
			continue
		}
		l.files[i] = f
	}
	return nil
}

func (l *Log) openFile(i int) (segmentHandle, error) {
	name := path.Join(l.dir, l.segments[i].File)
	f, _, err := vfs.OpenRegular(l.fsys, name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	h, ok := f.(segmentHandle)
	if !ok {
		_ = f.Close() // opened for reading: nothing can be lost
		return nil, fmt.Errorf("%s: the file system can't read at an offset", name)
	}
	return h, nil
}

// openSegment returns the file of segment i, opened anew if the log doesn't hold it open. The
// caller closes it.
func (l *Log) openSegment(i int) (segmentHandle, error) {
	if f := l.files[i]; f != nil {
		return sharedHandle{f}, nil
	}
	return l.openFile(i)
}

// sharedHandle is a file that the log keeps open.
type sharedHandle struct{ segmentFile }

func (sharedHandle) Close() error { return nil }

// openSingle opens one file as a log of one segment.
func (l *Log) openSingle() error {
	seg := Segment{File: path.Base(l.dir)}
	seg.Name, _ = l.dialect.ParseFileName(seg.File)
	l.dir, l.single, l.segments = path.Dir(l.dir), true, []Segment{seg}
	if err := l.openFiles(); err != nil {
		return bare(err)
	}
	if l.segments[0].Size == 0 {
		l.closeFiles()
		return ErrEmpty
	}
	return nil
}

// inUse reports whether a running process holds the lock that a writer keeps on a segment, as far as
// the system can tell.
func inUse(f segmentFile) bool {
	if shared, ok := f.(sharedHandle); ok {
		f = shared.segmentFile
	}
	hold, err := vfs.Held(f)
	return err == nil && hold.Held
}

// Close closes the log's files. What was read from it becomes invalid.
func (l *Log) Close() error {
	l.closeFiles()
	return l.member.Close()
}

func (l *Log) closeFiles() {
	for i, f := range l.files {
		if f != nil {
			_ = f.Close() // opened for reading: nothing can be lost
			l.files[i] = nil
		}
	}
}

// Segments returns the segments in the order of their sequence numbers.
func (l *Log) Segments() []Segment { return slices.Clone(l.segments) }

// Spares returns the names of the segments (.tmp) that etcd prepared and didn't use yet.
func (l *Log) Spares() []string { return slices.Clone(l.spares) }

// Ignored returns the names of the other files in the directory of the segments, such as the copies
// (.broken) that etcd keeps of what it repaired.
func (l *Log) Ignored() []string { return slices.Clone(l.ignored) }

// Dialect returns the dialect that the log was opened as.
func (l *Log) Dialect() *Dialect { return l.dialect }

// FS returns the file system that the log lies in: the one that it was opened in, or the tree of its
// archive. Dir and SnapDir are names in it. It is valid until Close.
func (l *Log) FS() fs.FS { return l.fsys }

// Dir returns the directory of the segments, within FS.
func (l *Log) Dir() string { return l.dir }

// Member returns where the files of the log's member lie, as far as the log's place tells. It is
// valid until Close.
func (l *Log) Member() *datadir.Member { return l.member }

// SnapDir returns the directory of the snapshot files that belong to the log. ok is false if there
// is none. One that can't be looked at is returned all the same: reading it tells why.
func (l *Log) SnapDir() (fsys fs.FS, dir string, ok bool) {
	snap := &l.member.Snap
	if snap.State != datadir.Present && snap.State != datadir.Unreadable {
		return nil, "", false
	}
	return snap.FS, snap.Path, true
}
