package staging

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/internal/vfs"
)

// Mark stands in the names of folders that are no result yet, and tells whose they are.
type Mark string

// The marks.
const (
	Restoring Mark = ".restoring-"
	Changing  Mark = ".changing-"
)

// in reports whether a name has a mark.
func (m Mark) in(name string) bool { return strings.Contains(name, string(m)) }

// OccupiedError says that there is something where a result should lie.
type OccupiedError struct {
	Path string
	Why  string
}

// Error formats the error as "m1.etcd: it holds member".
func (e *OccupiedError) Error() string { return e.Path + ": " + e.Why }

// CheckVacant refuses a data directory that holds anything, and a log directory that exists, as etcdutl
// does. What was left by one that was interrupted is no hindrance. Either may be empty.
func CheckVacant(fsys vfs.FS, dataDir, walDir string) error {
	if dataDir != "" {
		if info, err := fsys.Stat(dataDir); err == nil && !info.IsDir() {
			return &OccupiedError{dataDir, "it is a file"}
		}
		held, err := holds(fsys, dataDir)
		if err != nil {
			return err
		}
		if held != "" {
			return &OccupiedError{dataDir, "it is not empty, it holds " + held}
		}
	}
	if walDir == "" {
		return nil
	}
	switch _, err := fsys.Stat(walDir); {
	case err == nil:
		return &OccupiedError{walDir, "it exists"}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return nil
}

// holds returns the name of something that lies in a folder, or nothing.
func holds(fsys vfs.FS, dir string) (string, error) {
	entries, err := fsys.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		if !Restoring.in(e.Name()) && !Changing.in(e.Name()) {
			return e.Name(), nil
		}
	}
	return "", nil
}

// Within returns the path of name below dir, "." for dir itself, and nothing if it lies elsewhere.
func Within(name, dir string) string {
	rel, err := filepath.Rel(dir, name)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return ""
	}
	return rel
}

// Leftovers returns the folders with a mark that lie beside where a data directory, its folder member or a
// log would lie. Either may be empty.
func Leftovers(fsys vfs.FS, m Mark, dataDir, walDir string) (list []string) {
	places := []string{walDir}
	if dataDir != "" {
		places = []string{dataDir, filepath.Join(dataDir, MemberName), walDir}
	}
	for _, at := range places {
		dir, base := filepath.Dir(at), filepath.Base(at)
		entries, err := fsys.ReadDir(dir)
		if err != nil || at == "" {
			continue // whoever goes on will be told
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			if strings.HasPrefix(e.Name(), base+string(m)) && !slices.Contains(list, path) {
				list = append(list, path)
			}
		}
	}
	return list
}
