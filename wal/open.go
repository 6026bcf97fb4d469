package wal

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/internal/archive"
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
	fsys     fs.FS
	dir      string // the directory of the segments within fsys
	snapDir  string // empty if there is none
	single   bool   // opened as one file: its name need not be that of a segment
	segments []Segment
	files    []segmentHandle // nil for those that are opened when they are read
	spares   []string
	ignored  []string
	archive  io.Closer // nil if the log lies in no archive
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
func Open(fsys fs.FS, name string) (*Log, error) {
	l, err := open(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return l, nil
}

func open(fsys fs.FS, name string) (*Log, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		file, inner, ok := archivePath(fsys, name)
		if kind, sniffErr := sniff(fsys, file); !ok || sniffErr != nil || kind != sniffedArchive {
			return nil, bare(err)
		}
		return openArchive(fsys, file, inner)
	}
	switch {
	case info.IsDir():
		return openTree(fsys, name, false)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: neither a file nor a directory (%v)", ErrNoLog, info.Mode())
	case info.Size() == 0:
		return nil, ErrEmpty
	}
	kind, err := sniff(fsys, name)
	if err != nil {
		return nil, err
	}
	if kind == sniffedArchive {
		return openArchive(fsys, name, ".")
	}
	return openSingle(fsys, name)
}

// bare strips operation and path from an error that is about to be told with the path.
func bare(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// archivePath splits a path that leads into a file.
func archivePath(fsys fs.FS, name string) (file, inner string, ok bool) {
	for file = path.Dir(name); file != "." && file != "/"; file = path.Dir(file) {
		info, err := fs.Stat(fsys, file)
		if err != nil {
			continue
		}
		return file, strings.TrimPrefix(name, file+"/"), info.Mode().IsRegular()
	}
	return "", "", false
}

func openArchive(fsys fs.FS, file, inner string) (*Log, error) {
	f, err := fsys.Open(file)
	if err != nil {
		return nil, bare(err)
	}
	a, err := archive.Open(f, path.Base(file), archive.Options{Keep: wanted(inner)})
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	l, err := openInArchive(a, inner)
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	l.archive = a
	return l, nil
}

// wanted returns which files in an archive are unpacked: segments, spare ones and what etcd kept of
// damaged ones, below a path, and snapshot files, but no database.
func wanted(below string) func(name string) bool {
	return func(name string) bool {
		segment := isSegmentLike(path.Base(name))
		return path.Ext(name) == ".snap" || segment && (below == "." || strings.HasPrefix(name, below))
	}
}

func openInArchive(a *archive.FS, inner string) (*Log, error) {
	if file, ok := a.Only(); ok && inner == "." {
		return openSingle(a, file)
	}
	info, err := fs.Stat(a, inner)
	if err != nil {
		return nil, fmt.Errorf("%s in the archive: %w", inner, bare(err))
	}
	if !info.IsDir() {
		return openSingle(a, inner)
	}
	return openTree(a, inner, true)
}

// openTree opens the log in or below a directory.
func openTree(fsys fs.FS, name string, deep bool) (*Log, error) {
	dir, err := locate(fsys, name, deep)
	if err != nil {
		return nil, err
	}
	l := &Log{fsys: fsys, dir: dir, snapDir: snapDir(fsys, dir)}
	for range maxListings {
		if err = l.list(); err != nil {
			return nil, err
		}
		if err = l.openFiles(); !errors.Is(err, fs.ErrNotExist) {
			break // else a segment was removed between the two
		}
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// list sorts the files of the directory into segments and others.
func (l *Log) list() error {
	entries, err := fs.ReadDir(l.fsys, l.dir)
	if err != nil {
		return bare(err)
	}
	l.segments, l.spares, l.ignored = nil, nil, nil
	for _, e := range entries {
		name, ok := ParseSegmentName(e.Name())
		switch {
		case ok && mayBeSegment(e):
			l.segments = append(l.segments, Segment{Name: name, File: e.Name()})
		case strings.HasSuffix(e.Name(), spareSuffix):
			l.spares = append(l.spares, e.Name())
		default:
			l.ignored = append(l.ignored, e.Name())
		}
	}
	if len(l.segments) == 0 {
		return fmt.Errorf("%w: no segments in %s", ErrNoLog, l.dir)
	}
	slices.SortFunc(l.segments, func(a, b Segment) int {
		return cmp.Or(cmp.Compare(a.Name.Seq, b.Name.Seq), cmp.Compare(a.Name.Index, b.Name.Index))
	})
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
	f, err := l.fsys.Open(name)
	if err != nil {
		return nil, err
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
func openSingle(fsys fs.FS, name string) (*Log, error) {
	dir := path.Dir(name)
	seg := Segment{File: path.Base(name)}
	seg.Name, _ = ParseSegmentName(seg.File)
	l := &Log{
		fsys: fsys, dir: dir, snapDir: snapDir(fsys, dir), single: true, segments: []Segment{seg},
	}
	if err := l.openFiles(); err != nil {
		return nil, bare(err)
	}
	if l.segments[0].Size == 0 {
		return nil, errors.Join(ErrEmpty, l.Close())
	}
	return l, nil
}

// Close closes the log's files. What was read from it becomes invalid.
func (l *Log) Close() error {
	l.closeFiles()
	if l.archive == nil {
		return nil
	}
	return l.archive.Close()
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

// Dir returns the directory of the segments, within the file system that the log was opened in or
// within its archive.
func (l *Log) Dir() string { return l.dir }

// SnapDir returns the directory of the snapshot files that belong to the log. ok is false if there
// is none.
func (l *Log) SnapDir() (fsys fs.FS, dir string, ok bool) {
	return l.fsys, l.snapDir, l.snapDir != ""
}
