package restore

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/raftctl/raftctl/internal/vfs"
)

// stageMark stands in the names of folders that are no result yet.
const stageMark = ".restoring-"

// dirMode is that of etcd's folders: they hold secrets. fileMode is that of its database.
const (
	dirMode  fs.FileMode = 0o700
	fileMode fs.FileMode = 0o600
)

// OccupiedError says that there is something where a result should lie.
type OccupiedError struct {
	Path string
	Why  string
}

// Error formats the error as "m1.etcd: it holds member".
func (e *OccupiedError) Error() string { return e.Path + ": " + e.Why }

// checkVacant refuses data directories that hold anything, and log directories that exist, as etcdutl
// does. What an interrupted restore left is no hindrance.
func (p *Plan) checkVacant() error {
	for _, m := range p.Members {
		held, err := p.holds(m.DataDir)
		if err != nil {
			return err
		}
		if held != "" {
			return &OccupiedError{m.DataDir, "it is not empty, it holds " + held}
		}
		if m.WalDir == "" {
			continue
		}
		switch _, err := p.o.FS.Stat(m.WalDir); {
		case err == nil:
			return &OccupiedError{m.WalDir, "it exists"}
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	return nil
}

// holds returns the name of something that lies in a folder, or nothing.
func (p *Plan) holds(dir string) (string, error) {
	entries, err := p.o.FS.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		if !strings.Contains(e.Name(), stageMark) {
			return e.Name(), nil
		}
	}
	return "", nil
}

// Leftovers returns the folders that interrupted restores to the same places have left. They are
// nobody's result, and can be removed.
func (p *Plan) Leftovers() (list []string) {
	seen := map[string]bool{}
	for _, m := range p.Members {
		for _, at := range []string{m.DataDir, filepath.Join(m.DataDir, memberName), m.WalDir} {
			dir, base := filepath.Dir(at), filepath.Base(at)
			entries, err := p.o.FS.ReadDir(dir)
			if err != nil || at == "" {
				continue // the restore itself will say so
			}
			for _, e := range entries {
				path := filepath.Join(dir, e.Name())
				if strings.HasPrefix(e.Name(), base+stageMark) && !seen[path] {
					seen[path] = true
					list = append(list, path)
				}
			}
		}
	}
	return list
}

// The folders of a data directory.
const (
	memberName = "member"
	snapName   = "snap"
	walName    = "wal"
	dbName     = "db"
)

// staged is the data directory of a member while it is made.
//
// Invariant: nothing has the final name until everything is written, synced and checked.
type staged struct {
	*Planned
	fs     vfs.FS
	moves  []move // from the staging folders to the final names, in their order
	member string // the folder member, as it is now
	log    string // the folder of segments, as it is now
}

type move struct{ from, to string }

// newStaged names the folders. Where the data directory exists, as a mount point does, the folder member in
// it is the result.
func newStaged(fsys vfs.FS, m *Planned) (*staged, error) {
	var id [4]byte
	_, _ = rand.Read(id[:]) // never fails
	mark := stageMark + hex.EncodeToString(id[:])
	s := &staged{Planned: m, fs: fsys}
	switch _, err := fsys.Stat(m.DataDir); {
	case err == nil:
		at := filepath.Join(m.DataDir, memberName)
		s.member = at + mark
		s.moves = []move{{at + mark, at}}
	case errors.Is(err, fs.ErrNotExist):
		s.member = filepath.Join(m.DataDir+mark, memberName)
		s.moves = []move{{m.DataDir + mark, m.DataDir}}
	default:
		return nil, err
	}
	s.log = filepath.Join(s.member, walName)
	if m.WalDir != "" {
		// The log comes first: a data directory that is missing is seen before one whose log is.
		s.log = m.WalDir + mark
		s.moves = append([]move{{s.log, m.WalDir}}, s.moves...)
	}
	return s, nil
}

func (s *staged) snap() string     { return filepath.Join(s.member, snapName) }
func (s *staged) database() string { return filepath.Join(s.snap(), dbName) }

// make makes the folders.
func (s *staged) make() error {
	if err := s.fs.MkdirAll(s.snap(), dirMode); err != nil {
		return err
	}
	return s.fs.MkdirAll(filepath.Dir(s.log), dirMode)
}

// sync makes the folders durable.
func (s *staged) sync() error {
	dirs := []string{s.snap(), s.member}
	for _, m := range s.moves {
		if m.from != s.member && m.from != s.log {
			dirs = append(dirs, m.from)
		}
		dirs = append(dirs, filepath.Dir(m.from))
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
	}
	for _, m := range s.moves {
		if err := s.fs.SyncDir(filepath.Dir(m.to)); err != nil {
			return fmt.Errorf("%s is whole, but a power cut may undo its name: %w", m.to, err)
		}
	}
	return nil
}

// remove removes what was made and has no final name yet.
func (s *staged) remove() error {
	var errs []error
	for _, m := range s.moves {
		errs = append(errs, s.fs.RemoveAll(m.from))
	}
	return errors.Join(errs...)
}
