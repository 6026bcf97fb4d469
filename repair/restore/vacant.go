package restore

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
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

// checkApart refuses results that lie in one another.
func (p *Plan) checkApart() error {
	var dirs []string
	for _, m := range p.Members {
		if m.WalDir != "" && within(m.DataDir, m.WalDir) != "" {
			return &OccupiedError{m.WalDir, "the data directory would lie in it"}
		}
		for _, other := range dirs {
			if within(m.DataDir, other) != "" || within(other, m.DataDir) != "" {
				return &OccupiedError{m.DataDir, "another data directory would lie there"}
			}
		}
		dirs = append(dirs, m.DataDir)
	}
	return nil
}

// within returns the path of name below dir, "." for dir itself, and nothing if it lies elsewhere.
func within(name, dir string) string {
	rel, err := filepath.Rel(dir, name)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return ""
	}
	return rel
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
