package main

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/raftctl/raftctl/internal/vfs"
)

// scriptTyped types the command that the last output has, as it was printed, with more behind it: typed 'wal repair'
// ARG…. There is one line that begins so.
func scriptTyped(ts *testscript.TestScript, neg bool, args []string) {
	var lines []string
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		line = strings.TrimSpace(line)
		if i := strings.Index(line, "raftctl "+args[0]); i == 0 || strings.HasPrefix(line, "undo ") && i > 0 {
			lines = append(lines, line[i:])
		}
	}
	if len(lines) != 1 {
		ts.Fatalf("%d lines begin with raftctl %s, want one: %q", len(lines), args[0], lines)
	}
	scriptRaftctl(ts, neg, append(shellWords(ts, lines[0])[1:], args[1:]...))
}

// scriptLock locks a file as etcd locks its segments: lock FILE.
func scriptLock(ts *testscript.TestScript, _ bool, args []string) {
	f, err := vfs.OS.OpenFile(ts.MkAbs(args[0]), os.O_RDWR, 0)
	ts.Check(err)
	ts.Check(f.Lock())
	ts.Defer(func() { _ = f.Close() })
	*ts.Value(heldKey{}).(*vfs.File) = f
}

// heldKey is the key of the file that a script has locked.
type heldKey struct{}

// scriptUnlock gives the lock up.
func scriptUnlock(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Check((*ts.Value(heldKey{}).(*vfs.File)).Close())
}

// scriptSums writes the sums of all files below directories to a file: sums FILE DIR….
func scriptSums(ts *testscript.TestScript, _ bool, args []string) {
	var b strings.Builder
	for _, dir := range args[1:] {
		ts.Check(filepath.WalkDir(ts.MkAbs(dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			rel, _ := filepath.Rel(ts.MkAbs(dir), path)
			fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(data), filepath.ToSlash(rel))
			return err
		}))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o600))
}
