package datadir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/raftctl/raftctl/internal/archive"
)

// Options adjusts Find and FindPath. The zero value finds an etcd member.
type Options struct {
	// WalDir is the directory of segments, where etcd was started with --wal-dir. The path given is
	// then the data directory, and may be empty if only the log is wanted.
	WalDir string

	// Suffix is how the names of the segments end; SegmentSuffix by default.
	Suffix string

	// Database says that a database in an archive is wanted too. It is unpacked with the rest, which
	// takes its size on disk.
	Database bool

	// State says that the snapshot files and the database are wanted, and the log only if Log says so.
	// The path may then also name a directory of snapshot files, or one file: see [Member.File].
	State, Log bool

	// Dir is the directory that relative paths given to FindPath start from; the process's own by
	// default.
	Dir string
}

// Member is where the files of a member lie.
type Member struct {
	Log      Place // a directory of segments, or one segment
	Snap     Place // the directory of the snapshot files
	Database Place // the database, a file in Snap

	// File is the database or the snapshot file that the path names, where it names one; the other
	// places are then unknown. A compressed database is the file as it lies.
	File    Place
	Content Content // of File: ContentDatabase or ContentSnapshot

	// Single says that Log is one file, which may have any name.
	Single bool

	// Archived says that Log lies in an archive, and so never changes.
	Archived bool

	// Unfinished is the directory wal.tmp beside the log: etcd died while it created the log.
	Unfinished Place

	// Broken are the directories wal.broken.* beside the log: creating it failed.
	Broken []Place

	// Second is the log in the data directory where WalDir named another: which of the two the member
	// wrote last is for the reader to tell. Unknown where WalDir was not given, or names that very log.
	Second Place

	closers []io.Closer
}

// Close closes the archives that the member lies in. Its places become invalid.
func (m *Member) Close() error {
	var errs []error
	for _, c := range m.closers {
		errs = append(errs, c.Close())
	}
	m.closers = nil
	return errors.Join(errs...)
}

// Borrow returns the member for a user whose closing of it closes nothing. Its places are valid as long as
// those of m.
func (m *Member) Borrow() *Member {
	b := *m
	b.closers = nil
	return &b
}

// Find finds the member at name. A member without a log is no error: Log says what is the matter.
//
// The error is ErrNoLog if name is neither a member nor a log, or ErrNoState where Options.State asks
// for another thing, ErrEmpty if it is a file without a
// byte, ErrSeveralLogs if name doesn't say which log, or that of fsys.
func Find(fsys fs.FS, name string, o Options) (*Member, error) {
	if o.Suffix == "" {
		o.Suffix = SegmentSuffix
	}
	f := finder{fsys: fsys, given: name, typed: name, o: &o}
	if o.WalDir == "" {
		return f.find()
	}
	second := finder{fsys: fsys, given: o.WalDir, typed: o.WalDir, o: &o}
	return f.with(&second, name == "" || name == o.WalDir)
}

// finder finds one member.
type finder struct {
	fsys  fs.FS
	given string // what the path names, within fsys
	typed string // the same as the user typed it
	o     *Options
	deep  bool // in an archive: the log may lie anywhere
}

// with finds the member of a data directory whose log lies where wal says. alone: the data directory
// is not known.
func (f *finder) with(wal *finder, alone bool) (*Member, error) {
	m, err := wal.find()
	if err != nil || alone {
		return m, err
	}
	data, err := f.findData()
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	m.Snap, m.Database = data.Snap, data.Database
	if m.Archived || !same(&m.Log, &data.Log) {
		m.Second = data.Log
	}
	return m, nil
}

// same reports whether two places are one, perhaps by a link.
func same(a, b *Place) bool {
	if a.State != Present || b.State != Present {
		return false
	}
	infoA, errA := fs.Stat(a.FS, a.Path)
	infoB, errB := fs.Stat(b.FS, b.Path)
	return errA == nil && errB == nil && (a.Path == b.Path || os.SameFile(infoA, infoB))
}

// findData finds a data or member directory that need not hold a log.
func (f *finder) findData() (*Member, error) {
	if _, err := fs.Stat(f.fsys, f.given); err != nil {
		return nil, fmt.Errorf("%s: %w", f.typed, bare(err))
	}
	for _, member := range []string{path.Join(f.given, "member"), f.given} {
		is, err := f.isDir(path.Join(member, "snap"))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name(path.Join(member, "snap")), err)
		}
		if is {
			wal := path.Join(member, "wal")
			_, err := fs.Stat(f.fsys, wal)
			return f.member(wal, err)
		}
	}
	return nil, fmt.Errorf("%s: %w in it, want the data directory that goes with %s", f.typed,
		ErrNoSnap, f.o.WalDir)
}

func (f *finder) find() (*Member, error) {
	info, err := fs.Stat(f.fsys, f.given)
	if err != nil {
		return f.intoArchive(err)
	}
	switch {
	case info.IsDir():
		return f.anyDirectory()
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: neither a file nor a directory (%v)", f.nothing(), info.Mode())
	case info.Size() == 0:
		return nil, ErrEmpty
	case f.o.State:
		return f.stateFile(info.Size())
	}
	c, head, err := contentOf(f.fsys, f.given, f.o.Suffix)
	switch {
	case err != nil:
		return nil, err
	case c == ContentArchive:
		return f.archive(f.given, f.typed, ".")
	case c != ContentSegment:
		return nil, &ContentError{Content: c, Head: head, want: ErrNoLog}
	}
	return f.single(), nil
}

// anyDirectory finds the member of a directory.
func (f *finder) anyDirectory() (*Member, error) {
	if f.o.State {
		return f.stateDirectory()
	}
	return f.directory()
}

// nothing says what a path doesn't hold.
func (f *finder) nothing() error {
	if f.o.State {
		return ErrNoState
	}
	return ErrNoLog
}

// intoArchive finds a member at a path that leads into a file. err says that the path as a whole
// doesn't exist.
func (f *finder) intoArchive(err error) (*Member, error) {
	file, inner, ok := splitAtFile(f.fsys, f.given)
	if !ok {
		return nil, bare(err)
	}
	if c, _, cErr := contentOf(f.fsys, file, f.o.Suffix); cErr != nil || c != ContentArchive {
		return nil, bare(err)
	}
	typed := path.Clean(filepath.ToSlash(f.typed))
	return f.archive(file, strings.TrimSuffix(typed, "/"+inner), inner)
}

// splitAtFile splits a path that leads into a file.
func splitAtFile(fsys fs.FS, name string) (file, inner string, ok bool) {
	for file = path.Dir(name); file != "." && file != "/"; file = path.Dir(file) {
		info, err := fs.Stat(fsys, file)
		if err != nil {
			continue
		}
		return file, strings.TrimPrefix(name, file+"/"), info.Mode().IsRegular()
	}
	return "", "", false
}

// archive finds the member at the path inner of an archive.
func (f *finder) archive(file, typed, inner string) (*Member, error) {
	opened, err := f.fsys.Open(file)
	if err != nil {
		return nil, bare(err)
	}
	a, err := archive.Open(opened, path.Base(file), archive.Options{Keep: f.o.wanted(inner)})
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	in := finder{fsys: a, given: inner, typed: path.Join(typed, inner), o: f.o, deep: true}
	m, err := in.findInArchive(a)
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	m.closers, m.Archived = append(m.closers, a), true
	return m, nil
}

// wanted returns which files in an archive are unpacked: segments, spare ones and what etcd kept of
// damaged ones, below a path, and snapshot files. Of a state all that lies below the path is, but for
// segments that are not wanted.
func (o *Options) wanted(below string) func(name string) bool {
	return func(name string) bool {
		base := path.Base(name)
		if path.Ext(name) == snapSuffix || o.Database && base == databaseName {
			return true
		}
		if o.State && !isSegmentLike(base, o.Suffix) {
			return isBelow(name, below)
		}
		if o.State && !o.Log {
			return false
		}
		inLog := strings.HasPrefix(name, below) || o.State && isBelow(name, below)
		return isSegmentLike(base, o.Suffix) && (below == "." || inLog)
	}
}

func (f *finder) findInArchive(a *archive.FS) (*Member, error) {
	if file, ok := a.Only(); ok && f.given == "." {
		f.given = file
		return f.inArchive(a)
	}
	info, err := fs.Stat(a, f.given)
	if err != nil {
		return nil, fmt.Errorf("%s in the archive: %w", f.given, bare(err))
	}
	if !info.IsDir() {
		return f.inArchive(a)
	}
	return f.anyDirectory()
}

// inArchive is a member of which one file in an archive was given.
func (f *finder) inArchive(a *archive.FS) (*Member, error) {
	if !f.o.State {
		return f.single(), nil
	}
	info, err := fs.Stat(a, f.given)
	switch {
	case err != nil:
		return nil, bare(err)
	case info.Size() == 0:
		return nil, ErrEmpty
	}
	return f.stateFile(info.Size())
}

// single is a member of which one segment was given.
func (f *finder) single() *Member {
	m := &Member{Single: true, Log: f.present(f.given)}
	f.beside(m, path.Dir(f.given))
	return m
}

// isBelow reports whether a name in an archive is a path or lies below it, or beside a directory of
// segments or snapshot files that it names.
func isBelow(name, dir string) bool {
	if base := path.Base(dir); base == "wal" || base == "snap" {
		dir = path.Dir(dir)
	}
	return dir == "." || name == dir || strings.HasPrefix(name, dir+"/")
}
