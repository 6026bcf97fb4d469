package datadir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
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

	// Dir is the directory that relative paths given to FindPath start from; the process's own by
	// default.
	Dir string
}

// Member is where the files of a member lie.
type Member struct {
	Log      Place // a directory of segments, or one segment
	Snap     Place // the directory of the snapshot files
	Database Place // the database, a file in Snap

	// Single says that Log is one file, which may have any name.
	Single bool

	// Archived says that Log lies in an archive, and so never changes.
	Archived bool

	// Unfinished is the directory wal.tmp beside the log: etcd died while it created the log.
	Unfinished Place

	// Broken are the directories wal.broken.* beside the log: creating it failed.
	Broken []Place

	// Second is the log in the data directory where WalDir named another: which of the two the member
	// wrote last is for the reader to tell. Unknown where WalDir was not given.
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

// Find finds the member at name. A member without a log is no error: Log says what is the matter.
//
// The error is ErrNoLog if name is neither a member nor a log, ErrEmpty if it is a file without a
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
	m.Snap, m.Database, m.Second = data.Snap, data.Database, data.Log
	m.closers = append(m.closers, data.closers...)
	return m, nil
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
		return f.directory()
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: neither a file nor a directory (%v)", ErrNoLog, info.Mode())
	case info.Size() == 0:
		return nil, ErrEmpty
	}
	c, head, err := contentOf(f.fsys, f.given, f.o.Suffix)
	switch {
	case err != nil:
		return nil, err
	case c == ContentArchive:
		return f.archive(f.given, f.typed, ".")
	case c != ContentSegment:
		return nil, &ContentError{c, head}
	}
	return f.single(), nil
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
// damaged ones, below a path, and snapshot files.
func (o *Options) wanted(below string) func(name string) bool {
	return func(name string) bool {
		base := path.Base(name)
		if path.Ext(name) == ".snap" || o.Database && base == "db" {
			return true
		}
		return isSegmentLike(base, o.Suffix) && (below == "." || strings.HasPrefix(name, below))
	}
}

func (f *finder) findInArchive(a *archive.FS) (*Member, error) {
	if file, ok := a.Only(); ok && f.given == "." {
		f.given = file
		return f.single(), nil
	}
	info, err := fs.Stat(a, f.given)
	if err != nil {
		return nil, fmt.Errorf("%s in the archive: %w", f.given, bare(err))
	}
	if !info.IsDir() {
		return f.single(), nil
	}
	return f.directory()
}

// single is a member of which one segment was given.
func (f *finder) single() *Member {
	m := &Member{Single: true, Log: f.present(f.given)}
	f.beside(m, path.Dir(f.given))
	return m
}

// directory finds the member of a directory: one of segments, a member or data directory, or one
// that holds exactly one of them.
func (f *finder) directory() (*Member, error) {
	is, listErr := f.hasSegments(f.given)
	if is {
		return f.member(f.given, nil)
	}
	for _, sub := range []string{"member/wal", "wal"} {
		dir := path.Join(f.given, sub)
		if is, err := f.isDir(dir); err != nil || is {
			return f.member(dir, err) // an empty one is told when it is listed
		}
	}
	if listErr != nil {
		return nil, listErr
	}
	found, err := f.below()
	if err != nil {
		return nil, err
	}
	switch len(found) {
	case 1:
		return f.member(found[0], nil)
	case 0:
		return f.withoutLog()
	}
	several := &SeveralLogsError{}
	for _, dir := range found {
		several.Names = append(several.Names, f.name(dir))
	}
	return nil, several
}

// withoutLog is a member that has no directory of segments.
func (f *finder) withoutLog() (*Member, error) {
	member := path.Join(f.given, "member")
	is, err := f.isDir(member)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.name(member), err)
	}
	if !is {
		if is, err := f.isDir(path.Join(f.given, "snap")); err != nil || !is {
			return nil, errors.Join(err,
				fmt.Errorf("%w: neither segments nor a member/wal in the directory", ErrNoLog))
		}
		member = f.given
	}
	return f.member(path.Join(member, "wal"), fs.ErrNotExist)
}

// member is the member whose log lies, or would lie, in dir. err says why that can't be looked at.
func (f *finder) member(dir string, err error) (*Member, error) {
	m := &Member{Log: f.place(dir, err)}
	f.beside(m, dir)
	if m.Log.State != Missing {
		return m, nil
	}
	m.Log.Err = fmt.Errorf("%w: no wal in member: was etcd given a --wal-dir?", ErrNoLog)
	if m.Unfinished.State == Present {
		m.Log.Err = &UnfinishedError{m.Unfinished.Name}
	}
	return m, nil
}

// beside fills in what lies beside the directory of segments.
func (f *finder) beside(m *Member, dir string) {
	base, parent := path.Base(dir), path.Dir(dir)
	if base == "." || base == "/" {
		return // what is above it can't be seen
	}
	snap := f.look(path.Join(parent, "snap"))
	if base == "wal" && (snap.State != Missing || path.Base(parent) == "member") {
		m.Snap, m.Database = snap, f.look(path.Join(parent, "snap", "db"))
	}
	m.Unfinished = f.look(dir + ".tmp")
	entries, err := fs.ReadDir(f.fsys, parent)
	if err != nil {
		m.Broken = []Place{f.place(dir+".broken", bare(err))}
		return
	}
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), base+".broken") {
			m.Broken = append(m.Broken, f.present(path.Join(parent, e.Name())))
		}
	}
}

// below returns the directories of segments below the one given: of data directories directly in it,
// or in an archive all there are. What can't be read is an error only if nothing else is found.
func (f *finder) below() (found []string, err error) {
	if f.deep {
		err = fs.WalkDir(f.fsys, f.given, func(dir string, e fs.DirEntry, err error) error {
			if err != nil || !e.IsDir() || isLeftover(e.Name()) {
				return err
			}
			is, err := f.hasSegments(dir)
			if is {
				found = append(found, dir)
			}
			return err
		})
		return found, err
	}
	entries, err := fs.ReadDir(f.fsys, f.given)
	if err != nil {
		return nil, bare(err)
	}
	var unread []error
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		dir := path.Join(f.given, e.Name(), "member/wal")
		is, err := f.hasSegments(dir)
		if is {
			found = append(found, dir)
		}
		if err != nil {
			unread = append(unread, fmt.Errorf("%s: %w", f.name(dir), err))
		}
	}
	if len(found) > 0 || len(unread) == 0 {
		return found, nil
	}
	return nil, errors.Join(unread...)
}

// isLeftover reports whether a directory of this name is what an etcd left that failed to create its
// log. It is a log only to those who name it.
func isLeftover(base string) bool {
	return strings.HasSuffix(base, ".tmp") || strings.Contains(base, ".broken")
}

// hasSegments reports whether dir is a directory with segments in it.
func (f *finder) hasSegments(dir string) (bool, error) {
	entries, err := fs.ReadDir(f.fsys, dir)
	if err != nil {
		return false, unlessMissing(err)
	}
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		_, _, ok := ParseSegmentName(e.Name(), f.o.Suffix)
		return ok && MayBeSegment(e)
	}), nil
}

// MayBeSegment reports whether a directory entry can be a segment. Anything but a file, such as a
// pipe, could block whoever opens it.
func MayBeSegment(e fs.DirEntry) bool {
	return e.Type().IsRegular() || e.Type() == fs.ModeSymlink
}

func (f *finder) isDir(name string) (bool, error) {
	info, err := fs.Stat(f.fsys, name)
	if err != nil {
		return false, unlessMissing(err)
	}
	return info.IsDir(), nil
}

// unlessMissing returns err unless it says that there is nothing.
func unlessMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir) {
		return nil
	}
	return bare(err)
}

// look returns the place of a file or directory.
func (f *finder) look(name string) Place {
	_, err := fs.Stat(f.fsys, name)
	return f.place(name, err)
}

func (f *finder) present(name string) Place { return f.place(name, nil) }

// place returns the place of a name, of which err is what came of looking at it.
func (f *finder) place(name string, err error) Place {
	p := Place{State: Present, FS: f.fsys, Path: name, Name: f.name(name), Err: bare(err)}
	switch {
	case err == nil:
	case unlessMissing(err) == nil:
		p.State = Missing
	default:
		p.State = Unreadable
	}
	return p
}

// name returns what a user types for a name in the file system, going by what was typed for the one
// that was given.
func (f *finder) name(name string) string {
	rel, err := filepath.Rel(filepath.FromSlash(f.given), filepath.FromSlash(name))
	if err != nil {
		return name // there is no way from one to the other, which never happens within one FS
	}
	return filepath.Join(f.typed, rel)
}
