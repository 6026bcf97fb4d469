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
	name = filepath.Clean(name)
	if base := filepath.Base(name); base == "." || base == ".." {
		if abs, err := filepath.Abs(a.Path(name)); err == nil {
			name = abs
		}
	}
	flags := "-a"
	if linked(a, name) {
		flags = "-aL" // a copy of a link is none
	}
	return ui.CommandLine("cp", flags, Typed(name), Typed(unused(a, name)))
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

// unused returns a name for a copy that doesn't exist yet: cp would copy into a directory that does.
func unused(a *ui.App, name string) string {
	free := name + ".copy"
	for n := 2; ; n++ {
		if _, err := os.Lstat(a.Path(free)); err != nil {
			return free
		}
		free = fmt.Sprintf("%s.copy%d", name, n)
	}
}
