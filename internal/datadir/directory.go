package datadir

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

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
