package datadir

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/internal/archive"
)

// ErrNoState is returned when a path exists and holds no state of a member, where Options.State asks
// for one: neither a database nor a snapshot file, nor a directory of them.
var ErrNoState = errors.New("no snapshot or database")

// What the names of files end with, or are, that hold a state.
const (
	snapSuffix   = ".snap"
	databaseName = "db"
	dbSuffix     = ".db"
)

// stateFile finds what one file holds.
func (f *finder) stateFile(size int64) (*Member, error) {
	c, head, err := f.stateContent(size)
	switch {
	case err != nil:
		return nil, err
	case c == ContentArchive:
		return f.archive(f.given, f.typed, ".")
	case c != ContentDatabase && c != ContentSnapshot:
		return nil, &ContentError{Content: c, Head: head, want: ErrNoState}
	}
	m := &Member{File: f.present(f.given), Content: c, Archived: f.deep}
	if c == ContentSnapshot {
		return m, f.unpackFile(m)
	}
	return m, nil
}

// unpackFile makes the file of a member one that can be read as it is.
func (f *finder) unpackFile(m *Member) error {
	opened, err := f.fsys.Open(f.given)
	if err != nil {
		return bare(err)
	}
	head := make([]byte, archive.SniffSize)
	n, err := io.ReadFull(opened, head)
	if err != nil || !archive.Is(head[:n]) {
		return opened.Close()
	}
	if err = opened.Close(); err != nil {
		return err
	}
	if opened, err = f.fsys.Open(f.given); err != nil {
		return bare(err)
	}
	a, err := archive.Open(opened, path.Base(f.given), archive.Options{})
	if err != nil {
		return errors.Join(err, opened.Close())
	}
	m.closers = append(m.closers, a)
	m.File.FS = a
	m.File.Path, _ = a.Only()
	return nil
}

// stateContent tells what a file is. A compressed one is looked into: an archive is one of several
// files, or of one that is no database. A database or a snapshot file with a damaged head is told by
// its name.
func (f *finder) stateContent(size int64) (Content, []byte, error) {
	file, err := f.fsys.Open(f.given)
	if err != nil {
		return 0, nil, bare(err)
	}
	defer func() { _ = file.Close() }() // opened for reading: nothing can be lost
	head, one, err := archive.Peek(file)
	if err != nil && len(head) == 0 {
		return 0, nil, bare(err)
	}
	if !one {
		return ContentArchive, nil, nil
	}
	c := Sniff(head)
	if c == ContentOther || c == ContentText {
		c = f.byName(c, file, size)
	}
	return c, head[:min(len(head), 8)], nil
}

// byName tells what a file is that its head doesn't tell of.
func (f *finder) byName(c Content, file fs.File, size int64) Content {
	base := archive.Unpacked(path.Base(f.given))
	switch {
	case hasSecondMeta(file, size):
		return ContentDatabase
	case c == ContentText:
		return c
	case isSegmentLike(base, f.o.Suffix):
		return ContentSegment
	case base == databaseName, strings.HasSuffix(base, dbSuffix):
		return ContentDatabase
	case strings.HasSuffix(base, snapSuffix):
		return ContentSnapshot
	}
	return c
}

// hasSecondMeta reports whether a file has the second meta page of a database, whose first one isn't
// one any more.
func hasSecondMeta(file fs.File, size int64) bool {
	at, ok := file.(io.ReaderAt)
	if !ok {
		return false
	}
	const least, most = 512, 64 << 10
	head := make([]byte, metaOff+4)
	for page := int64(least); page <= most && page < size; page *= 2 {
		if n, _ := at.ReadAt(head, page); n == len(head) && isDatabase(head) {
			return true
		}
	}
	return false
}

// metaOff is where a page's meta begins, behind the page's header.
const metaOff = 16

func isDatabase(head []byte) bool {
	const metaMagic = 0xed0cdaed
	return len(head) >= metaOff+4 && binary.LittleEndian.Uint32(head[metaOff:]) == metaMagic
}

// stateDirectory finds the member of a directory: one of snapshot files, or any that holds a log.
func (f *finder) stateDirectory() (*Member, error) {
	is, err := f.hasState(f.given)
	if err != nil {
		return nil, err
	}
	if is {
		return f.snapMember(f.given), nil
	}
	for _, sub := range []string{"member/snap", "snap"} {
		dir := path.Join(f.given, sub)
		if is, err := f.isDir(dir); err != nil || is {
			if err != nil {
				err = fmt.Errorf("%s: %w", f.name(dir), err)
			}
			return f.snapMember(dir), err
		}
	}
	found, err := f.statesBelow()
	if err != nil {
		return nil, err
	}
	switch len(found) {
	case 1:
		return f.snapMember(found[0]), nil
	case 0:
		return f.logOnly()
	}
	several := &SeveralLogsError{What: "snapshot directories"}
	for _, dir := range found {
		several.Names = append(several.Names, f.name(dir))
	}
	return nil, several
}

// logOnly is a member that is there by its log only.
func (f *finder) logOnly() (*Member, error) {
	m, err := f.directory()
	if errors.Is(err, ErrNoLog) {
		return nil, fmt.Errorf("%w: neither snapshot files nor a member/snap in the directory", ErrNoState)
	}
	return m, err
}

// snapMember is the member whose snapshot files lie in dir. If that has another name than etcd gives
// it, what is beside it is not the member's.
func (f *finder) snapMember(dir string) *Member {
	wal := path.Join(path.Dir(dir), "wal")
	if path.Base(dir) == "snap" {
		_, err := fs.Stat(f.fsys, wal)
		m, _ := f.member(wal, err) // Log says what is the matter
		m.Snap, m.Database = f.look(dir), f.look(path.Join(dir, databaseName))
		return m
	}
	return &Member{Snap: f.look(dir), Database: f.look(path.Join(dir, databaseName)), Archived: f.deep}
}

// hasState reports whether dir is a directory with snapshot files or a database in it.
func (f *finder) hasState(dir string) (bool, error) {
	entries, err := fs.ReadDir(f.fsys, dir)
	if err != nil {
		return false, unlessMissing(err)
	}
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		ends := strings.HasSuffix(e.Name(), snapSuffix) || strings.HasSuffix(e.Name(), snapSuffix+dbSuffix)
		return !e.IsDir() && (e.Name() == databaseName || ends)
	}), nil
}

// statesBelow returns the directories of snapshot files below the one given: of data directories
// directly in it, or in an archive all there are.
func (f *finder) statesBelow() (found []string, err error) {
	if f.deep {
		err = fs.WalkDir(f.fsys, f.given, func(dir string, e fs.DirEntry, err error) error {
			if err != nil || !e.IsDir() {
				return err
			}
			is, err := f.hasState(dir)
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
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		dir := path.Join(f.given, e.Name(), "member/snap")
		if is, _ := f.hasState(dir); is { // one that can't be read is none that could be taken
			found = append(found, dir)
		}
	}
	return found, nil
}
