package staging

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/raftctl/raftctl/internal/vfs"
)

// The folders of a data directory, and the database in one of them.
const (
	MemberName   = "member"
	SnapName     = "snap"
	WALName      = "wal"
	DatabaseName = "db"
)

// DirMode is that of etcd's folders: they hold secrets. FileMode is that of its database.
const (
	DirMode  fs.FileMode = 0o700
	FileMode fs.FileMode = 0o600
)

// Options says what is made, and where it will lie.
type Options struct {
	FS      vfs.FS
	DataDir string // empty: the log is all there is
	WalDir  string // the log; empty: member/wal in DataDir
	Mark    Mark
}

// Dir is the files of a member while they are made.
//
// Invariant: nothing has its final name until everything is written, synced and checked.
type Dir struct {
	fs      vfs.FS
	moves   []move   // from the staging folders to the final names, in their order
	placed  int      // how many of them are done
	member  string   // the folder member, as it is now; empty: there is none
	log     string   // the folder of segments, as it is now
	parents []string // folders that were made for the result to lie in, the outermost first
}

type move struct{ from, to string }

// New names the folders, and makes none. Where the data directory exists, as a mount point does, the folder
// member in it is the result.
func New(o Options) (*Dir, error) {
	mark := NewMark(o.Mark)
	d := &Dir{fs: o.FS}
	if o.DataDir == "" {
		d.log = o.WalDir + mark
		d.moves = []move{{d.log, o.WalDir}}
		return d, nil
	}
	main := move{o.DataDir + mark, o.DataDir}
	switch _, err := o.FS.Stat(o.DataDir); {
	case err == nil:
		main.to = filepath.Join(o.DataDir, MemberName)
		main.from = main.to + mark
		d.member = main.from
	case errors.Is(err, fs.ErrNotExist):
		d.member = filepath.Join(main.from, MemberName)
	default:
		return nil, err
	}
	d.moves = []move{main}
	d.log = filepath.Join(d.member, WALName)
	if o.WalDir == "" {
		return d, nil
	}
	if rel := Within(o.WalDir, main.to); rel != "" {
		d.log = filepath.Join(main.from, rel)
		return d, nil
	}
	// The log comes first: a data directory that is missing is seen before a log that is.
	d.log = o.WalDir + mark
	d.moves = []move{{d.log, o.WalDir}, main}
	return d, nil
}

// NewMark returns what is put behind a name to make it that of a folder that nobody else has.
func NewMark(m Mark) string {
	var id [4]byte
	_, _ = rand.Read(id[:]) // never fails
	return string(m) + hex.EncodeToString(id[:])
}

// Log is the folder of the segments, as it is called now. Make makes the one above it.
func (d *Dir) Log() string { return d.log }

// Member is the folder member, as it is called now; empty where there is only a log.
func (d *Dir) Member() string { return d.member }

// Snap is the folder of the snapshot files, as it is called now; empty where there is only a log.
func (d *Dir) Snap() string { return d.inMember(SnapName) }

// Database is the database in it.
func (d *Dir) Database() string { return d.inMember(filepath.Join(SnapName, DatabaseName)) }

func (d *Dir) inMember(name string) string {
	if d.member == "" {
		return ""
	}
	return filepath.Join(d.member, name)
}

// Tops are the folders that Place gives other names, as they are called now.
func (d *Dir) Tops() (list []string) {
	for _, m := range d.moves {
		list = append(list, m.from)
	}
	return list
}

// Make makes the folders, but that of the log.
func (d *Dir) Make() error {
	for _, m := range d.moves {
		if err := d.makeParents(filepath.Dir(m.to)); err != nil {
			return err
		}
	}
	if d.member != "" {
		if err := d.fs.MkdirAll(d.Snap(), DirMode); err != nil {
			return err
		}
	}
	return d.fs.MkdirAll(filepath.Dir(d.log), DirMode)
}

// makeParents makes a folder and those above it, and notes which are new.
func (d *Dir) makeParents(dir string) error {
	var list []string
	for at := dir; ; at = filepath.Dir(at) {
		_, err := d.fs.Stat(at)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at) {
			return err
		}
		list = append([]string{at}, list...)
	}
	d.parents = append(d.parents, list...)
	return d.fs.MkdirAll(dir, DirMode)
}

// Sync makes durable which files the folders hold.
func (d *Dir) Sync() error {
	var dirs []string
	if d.member != "" {
		dirs = []string{d.Snap(), d.member}
	}
	if d.log != d.inMember(WALName) {
		dirs = append(dirs, filepath.Dir(d.log))
	}
	for _, m := range d.moves {
		if m.from != d.member && m.from != d.log {
			dirs = append(dirs, m.from)
		}
	}
	for _, dir := range dirs {
		if err := d.fs.SyncDir(dir); err != nil {
			return err
		}
	}
	return nil
}

// Place gives the result its names.
func (d *Dir) Place() error {
	for _, m := range d.moves {
		if err := d.fs.Rename(m.from, m.to); err != nil {
			return err
		}
		d.placed++
	}
	for _, m := range d.moves {
		if err := d.fs.SyncDir(filepath.Dir(m.to)); err != nil {
			return err
		}
	}
	for _, dir := range d.parents {
		if err := d.fs.SyncDir(filepath.Dir(dir)); err != nil {
			return err
		}
	}
	return nil
}

// Remove removes what was made. What has its final name gets the other one back first, so that it is
// never half there under the final one.
func (d *Dir) Remove() error {
	var errs []error
	for ; d.placed > 0; d.placed-- {
		m := d.moves[d.placed-1]
		if err := d.fs.Rename(m.to, m.from); err != nil {
			return fmt.Errorf("%s is whole, and of no use without the rest: %w", m.to, err)
		}
	}
	for _, m := range d.moves {
		errs = append(errs, d.fs.RemoveAll(m.from))
	}
	for i := len(d.parents) - 1; i >= 0; i-- {
		_ = d.fs.Remove(d.parents[i]) // it stays if it holds anything by now
	}
	return errors.Join(errs...)
}
