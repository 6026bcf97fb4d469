package mutation

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	all   = flag.Bool("mutation.all", false, "try all mutants, not just the quick ones")
	table = flag.String("mutation.table", "", "file to write the table for docs/raft.md to")
)

// core is the folder of package raft.
const core = "../.."

// proof is a test that is to find bugs.
type proof struct {
	name string
	pkg  string
	args []string
}

var proofs = []proof{
	{"simulator", "./internal/sim", []string{
		"-test.run=^TestWorlds$", "-sim.seeds=6000", "-sim.rows=1",
	}},
	{"lockstep", "./internal/lockstep", []string{
		"-test.run=^TestLockstep$", "-lockstep.steps=2000000",
	}},
}

// mutate returns the text of the mutant's file with the bug in it.
func (m *mutant) mutate(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(core, m.file))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), m.old); n != 1 {
		t.Fatalf("%s holds the text to replace %d times, want once: %q", m.file, n, m.old)
	}
	return strings.Replace(string(text), m.old, m.new, 1)
}

// overlay writes the mutated file, and the file that puts it in the place of the right one.
func (m *mutant) overlay(t *testing.T, dir string) string {
	t.Helper()
	mutated, list := filepath.Join(dir, "mutated.go"), filepath.Join(dir, "overlay.json")
	original, err := filepath.Abs(filepath.Join(core, m.file))
	if err != nil {
		t.Fatal(err)
	}
	spec, err := json.Marshal(map[string]any{"Replace": map[string]string{original: mutated}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{mutated: m.mutate(t), list: string(spec)} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// finds reports whether the proof fails with the mutant, and in what words.
func (p *proof) finds(t *testing.T, dir, overlay string) (finding string, found bool) {
	t.Helper()
	binary := filepath.Join(dir, p.name+".test")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", binary,
		"-overlay", overlay, p.pkg)
	build.Dir = core
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s does not compile: %v\n%s", p.name, err, out)
	}
	run := exec.CommandContext(t.Context(), binary, append(p.args, "-test.timeout=10m")...)
	run.Dir = filepath.Join(core, p.pkg)
	out, err := run.CombinedOutput()
	return summarize(string(out)), err != nil
}

// finding matches the line of a test's output that says what was found, after the seed or step.
var finding = regexp.MustCompile(`(?m)^\s+\w+_test\.go:\d+: (?:seed \d+: |step \d+: )?(.*)$`)

// maxSummary is the length of a summary, at most.
const maxSummary = 100

// summarize returns what a failed test found, on one line.
func summarize(out string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(out), "\n")
	if match := finding.FindStringSubmatch(out); match != nil {
		line = match[1]
	}
	if len(line) > maxSummary {
		line = line[:maxSummary] + " …"
	}
	return strings.ReplaceAll(line, "|", "/")
}

// search tries one proof after the other, and returns the first that finds the mutant.
func search(t *testing.T, dir, overlay string) (by, what string) {
	t.Helper()
	for i := range proofs {
		if what, found := proofs[i].finds(t, dir, overlay); found {
			return proofs[i].name, what
		}
	}
	return "", ""
}

func TestMutants(t *testing.T) {
	var rows []string
	for i := range mutants {
		m := &mutants[i]
		t.Run(m.name, func(t *testing.T) {
			if !*all && (!m.quick || underRace) {
				m.mutate(t)
				return
			}
			dir := t.TempDir()
			overlay := m.overlay(t, dir)
			by, what := search(t, dir, overlay)
			if by == "" {
				t.Fatal("not found")
			}
			t.Logf("found by the %s: %s", by, what)
			rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s |\n", m.name, m.file, by, what))
		})
	}
	if *table != "" {
		if err := os.WriteFile(*table, []byte(strings.Join(rows, "")), 0o600); err != nil {
			t.Error(err)
		}
	}
}

// TestTableIsComplete checks that the documentation tells of every mutant, and of no other.
func TestTableIsComplete(t *testing.T) {
	const doc = "../../../docs/raft.md"
	text, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "<!-- mutants -->")
	section, _, _ = strings.Cut(section, "<!-- end of mutants -->")
	for _, m := range mutants {
		row := fmt.Sprintf("| %s | %s |", m.name, m.file)
		if n := strings.Count(section, row); n != 1 {
			t.Errorf("%s has %d rows %q, want one", doc, n, row)
		}
	}
	// Two lines of head.
	if got, want := strings.Count(section, "\n| "), len(mutants)+2; got != want {
		t.Errorf("%s has %d rows, want %d", doc, got, want)
	}
}
