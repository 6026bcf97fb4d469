// Package mutant puts bugs into code on purpose, for tests that prove that other tests find them. A bug is a
// replacement of text in one file, which the compiler sees by way of go test -overlay: so the code has no hooks for
// it, and no file is changed.
package mutant

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Mutant is a bug.
type Mutant struct {
	Name  string
	File  string // below the root that the methods are given
	Old   string // occurs once
	New   string
	Quick bool // always tried
}

// Text returns the text of the file with the bug in it.
func (m *Mutant) Text(t *testing.T, root string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, m.File))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), m.Old); n != 1 {
		t.Fatalf("%s holds the text to replace %d times, want once: %q", m.File, n, m.Old)
	}
	return strings.Replace(string(text), m.Old, m.New, 1)
}

// Overlay writes the file with the bug into dir, and the file that puts it in the place of the right one; it returns
// the name of that.
func (m *Mutant) Overlay(t *testing.T, root, dir string) string {
	t.Helper()
	mutated, list := filepath.Join(dir, "mutated.go"), filepath.Join(dir, "overlay.json")
	original, err := filepath.Abs(filepath.Join(root, m.File))
	if err != nil {
		t.Fatal(err)
	}
	spec, err := json.Marshal(map[string]any{"Replace": map[string]string{original: mutated}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{mutated: m.Text(t, root), list: string(spec)} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// Build builds the tests of a package, whose path is relative to root, with an overlay.
func Build(t *testing.T, root, pkg, binary, overlay string) {
	t.Helper()
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", binary, "-overlay", overlay, pkg)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s does not compile: %v\n%s", pkg, err, out)
	}
}

// finding matches the line of a test's output that says what was found, after the seed or step.
var finding = regexp.MustCompile(`(?m)^\s+\w+_test\.go:\d+: (?:seed \d+: |step \d+: )?(.*)$`)

// maxSummary is the length of a summary, at most.
const maxSummary = 100

// Summarize returns what a failed test found, on one line.
func Summarize(out string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(out), "\n")
	if match := finding.FindStringSubmatch(out); match != nil {
		line = match[1]
	}
	if len(line) > maxSummary {
		line = line[:maxSummary] + " …"
	}
	return strings.ReplaceAll(line, "|", "/")
}
