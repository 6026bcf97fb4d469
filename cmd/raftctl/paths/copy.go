package paths

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
)

// Copy returns the command that copies what lies at a path to a new place beside it.
func Copy(a *ui.App, name string) string {
	name = named(a, name)
	flags := "-a"
	if linked(a, name) {
		flags = "-aL" // a copy of a link is none
	}
	return ui.CommandLine("cp", flags, Typed(name), Typed(unused(a, name, ".copy")))
}

// Beside returns a path beside another one, which ends as given, perhaps with a number behind it, and leads to nothing
// yet.
func Beside(a *ui.App, name, ending string) string { return Typed(unused(a, named(a, name), ending)) }

// named makes a path end with the name of what it leads to.
func named(a *ui.App, name string) string {
	name = filepath.Clean(name)
	if base := filepath.Base(name); base == "." || base == ".." {
		if abs, err := filepath.Abs(a.Path(name)); err == nil {
			return abs
		}
	}
	return name
}

// Real returns an absolute path without symbolic links, as far as it exists.
func Real(name string) string {
	abs, err := filepath.Abs(name)
	if err != nil {
		return name
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		return real
	}
	dir := filepath.Dir(abs)
	if dir == abs {
		return abs
	}
	return filepath.Join(Real(dir), filepath.Base(abs))
}

// linked reports whether a member's files, or some of them, lie behind a symbolic link.
func linked(a *ui.App, name string) bool {
	for _, below := range []string{"", "member", "member/wal", "member/snap", "wal", "snap"} {
		info, err := os.Lstat(a.Path(filepath.Join(name, below)))
		if err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return true
		}
	}
	return false
}

// unused returns a name that doesn't exist yet: cp would copy into a directory that does.
func unused(a *ui.App, name, ending string) string {
	free := name + ending
	for n := 2; ; n++ {
		if _, err := os.Lstat(a.Path(free)); err != nil {
			return free
		}
		free = fmt.Sprintf("%s%s%d", name, ending, n)
	}
}
