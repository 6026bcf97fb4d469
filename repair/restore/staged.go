package restore

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/raftctl/raftctl/internal/vfs"
)

// The folders of a data directory.
const (
	memberName = "member"
	snapName   = "snap"
	walName    = "wal"
	dbName     = "db"
)

// staged is the data directory of a member while it is made.
//
// Invariant: nothing has its final name until everything is written, synced and checked.
type staged struct {
	*Planned
	fs      vfs.FS
	moves   []move   // from the staging folders to the final names, in their order
	placed  int      // how many of them are done
	member  string   // the folder member, as it is now
	log     string   // the folder of segments, as it is now
	parents []string // folders that were made for the result to lie in, the outermost first
}

type move struct{ from, to string }

// newStaged names the folders. Where the data directory exists, as a mount point does, the folder member in
// it is the result.
func newStaged(fsys vfs.FS, m *Planned) (*staged, error) {
	var id [4]byte
	_, _ = rand.Read(id[:]) // never fails
	mark := stageMark + hex.EncodeToString(id[:])
	s := &staged{Planned: m, fs: fsys}
	main := move{m.DataDir + mark, m.DataDir}
	switch _, err := fsys.Stat(m.DataDir); {
	case err == nil:
		main.to = filepath.Join(m.DataDir, memberName)
		main.from = main.to + mark
		s.member = main.from
	case errors.Is(err, fs.ErrNotExist):
		s.member = filepath.Join(main.from, memberName)
	default:
		return nil, err
	}
	s.moves = []move{main}
	s.log = filepath.Join(s.member, walName)
	if m.WalDir == "" {
		return s, nil
	}
	if rel := within(m.WalDir, main.to); rel != "" {
		s.log = filepath.Join(main.from, rel)
		return s, nil
	}
	// The log comes first: a data directory that is missing is seen before a log that is.
	s.log = m.WalDir + mark
	s.moves = []move{{s.log, m.WalDir}, main}
	return s, nil
}

func (s *staged) snap() string     { return filepath.Join(s.member, snapName) }
func (s *staged) database() string { return filepath.Join(s.snap(), dbName) }

// make makes the folders.
func (s *staged) make() error {
	for _, m := range s.moves {
		if err := s.makeParents(filepath.Dir(m.to)); err != nil {
			return err
		}
	}
	if err := s.fs.MkdirAll(s.snap(), dirMode); err != nil {
		return err
	}
	return s.fs.MkdirAll(filepath.Dir(s.log), dirMode)
}

// makeParents makes a folder and those above it, and notes which are new.
func (s *staged) makeParents(dir string) error {
	var list []string
	for at := dir; ; at = filepath.Dir(at) {
		_, err := s.fs.Stat(at)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at) {
			return err
		}
		list = append([]string{at}, list...)
	}
	s.parents = append(s.parents, list...)
	return s.fs.MkdirAll(dir, dirMode)
}

// sync makes durable which files the folders hold.
func (s *staged) sync() error {
	dirs := []string{s.snap(), s.member}
	if s.log != filepath.Join(s.member, walName) {
		dirs = append(dirs, filepath.Dir(s.log))
	}
	for _, m := range s.moves {
		if m.from != s.member && m.from != s.log {
			dirs = append(dirs, m.from)
		}
	}
	for _, dir := range dirs {
		if err := s.fs.SyncDir(dir); err != nil {
			return err
		}
	}
	return nil
}

// place gives the result its names.
func (s *staged) place() error {
	for _, m := range s.moves {
		if err := s.fs.Rename(m.from, m.to); err != nil {
			return err
		}
		s.placed++
	}
	for _, m := range s.moves {
		if err := s.fs.SyncDir(filepath.Dir(m.to)); err != nil {
			return err
		}
	}
	for _, dir := range s.parents {
		if err := s.fs.SyncDir(filepath.Dir(dir)); err != nil {
			return err
		}
	}
	return nil
}

// remove removes what was made. What has its final name gets the other one back first, so that it is
// never half there under the final one.
func (s *staged) remove() error {
	var errs []error
	for ; s.placed > 0; s.placed-- {
		m := s.moves[s.placed-1]
		if err := s.fs.Rename(m.to, m.from); err != nil {
			return fmt.Errorf("%s is whole, and of no use without the rest: %w", m.to, err)
		}
	}
	for _, m := range s.moves {
		errs = append(errs, s.fs.RemoveAll(m.from))
	}
	for i := len(s.parents) - 1; i >= 0; i-- {
		_ = s.fs.Remove(s.parents[i]) // it stays if it holds anything by now
	}
	return errors.Join(errs...)
}
