package change

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/staging"
)

// Place is where the files of a member lie.
type Place struct {
	DataDir string // it holds the folder member; empty where only a part of a member is known
	Log     string // the folder of segments, without symbolic links; it may be missing
	Snap    string // the folder of snapshot files, likewise; empty where there is none
}

// auditName is how the audit file is called. In a data directory it lies beside the folder member, where
// etcd doesn't look; otherwise beside the log, with that one's name before it.
const auditName = "raftctl-changes.jsonl"

// Audit returns the path of the audit file.
func (p Place) Audit() string {
	if p.DataDir != "" {
		return filepath.Join(p.DataDir, auditName)
	}
	return p.Log + "." + auditName
}

// database returns the path of the database, or nothing.
func (p Place) database() string {
	if p.Snap == "" {
		return ""
	}
	return filepath.Join(p.Snap, staging.DatabaseName)
}

// elsewhere reports whether the log lies elsewhere than in the data directory.
func (p Place) elsewhere(fsys vfs.FS) (bool, error) {
	if p.DataDir == "" {
		return false, nil
	}
	own, err := locator{fsys}.real(filepath.Join(p.DataDir, staging.MemberName, staging.WALName))
	return own != p.Log, err
}

// beside returns the path of a folder beside the log.
func (p Place) beside(name string) string { return filepath.Join(filepath.Dir(p.Log), name) }

// Locate finds the member at a path: a data directory, its folder member, a folder of segments, or a folder
// that holds exactly one data directory. The log lies in walDir unless that is empty. A log that is missing
// is no error: a change that was interrupted may have left that.
func Locate(fsys vfs.FS, dir, walDir string) (Place, error) {
	l := locator{fsys}
	given := walDir != ""
	if dir == "" {
		dir = walDir
	}
	dir, err := l.named(dir)
	if err != nil {
		return Place{}, err
	}
	var p Place
	member, log, err := l.memberOf(dir, &p)
	if err != nil {
		return Place{}, err
	}
	if walDir, err = l.named(walDir); err != nil {
		return Place{}, err
	}
	if given && walDir != dir {
		if member == "" {
			return Place{}, fmt.Errorf("%s: no %s in it, want the data directory that goes with %s", dir,
				filepath.Join(staging.MemberName, staging.SnapName), walDir)
		}
		log = walDir
	}
	if p.Log, err = l.real(log); err != nil || member == "" {
		return p, err
	}
	snap := filepath.Join(member, staging.SnapName)
	if is, err := l.isDir(snap); err != nil || !is {
		return p, err
	}
	p.Snap, err = l.real(snap)
	return p, err
}

type locator struct{ fs vfs.FS }

// named makes a path absolute, so that it ends with the name of what it leads to.
func (l locator) named(dir string) (string, error) {
	if filepath.IsAbs(dir) {
		return filepath.Clean(dir), nil
	}
	here, err := vfs.RealPath(l.fs, ".")
	return filepath.Join(here, dir), err
}

// memberOf finds the folder member that a path names, if it does, and the log. It fills in the data directory.
func (l locator) memberOf(dir string, p *Place) (member, log string, err error) {
	up := filepath.Dir(dir)
	inside := filepath.Base(dir) == staging.WALName
	var is [4]bool
	for i, at := range []string{filepath.Join(dir, staging.MemberName), filepath.Join(dir, staging.WALName),
		filepath.Join(dir, staging.SnapName), filepath.Join(up, staging.SnapName)} {
		if is[i], err = l.isDir(at); err != nil {
			return "", "", err
		}
	}
	switch {
	case is[0]:
		member = filepath.Join(dir, staging.MemberName)
	case is[1] || is[2]:
		member = dir
	case inside && (is[3] || filepath.Base(up) == staging.MemberName):
		member = up
	default:
		if member, err = l.below(dir); err != nil || member == "" {
			return "", dir, err
		}
	}
	if filepath.Base(member) == staging.MemberName {
		p.DataDir = filepath.Dir(member)
	}
	return member, filepath.Join(member, staging.WALName), nil
}

// below finds the folder member of the one data directory in a folder.
func (l locator) below(dir string) (member string, err error) {
	entries, err := l.fs.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		at := filepath.Join(dir, e.Name(), staging.MemberName)
		if !e.IsDir() {
			continue
		}
		if is, err := l.isDir(at); err != nil || !is {
			continue
		}
		if member != "" {
			return "", fmt.Errorf("%s: several data directories, name one: %s, %s", dir, filepath.Dir(member), filepath.Dir(at))
		}
		member = at
	}
	return member, nil
}

func (l locator) isDir(name string) (bool, error) {
	info, err := l.fs.Stat(name)
	switch {
	case err == nil:
		return info.IsDir(), nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errNotDir):
		return false, nil
	}
	return false, err
}

// real returns the path without symbolic links of a folder that may be missing.
func (l locator) real(name string) (string, error) {
	path, err := vfs.RealPath(l.fs, name)
	if !errors.Is(err, fs.ErrNotExist) {
		return path, err
	}
	if path, err = vfs.RealPath(l.fs, filepath.Dir(name)); err != nil {
		return "", err
	}
	return filepath.Join(path, filepath.Base(name)), nil
}
