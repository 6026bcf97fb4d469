package mutation

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/internal/mutant"
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

// finds reports whether the proof fails with the mutant, and in what words.
func (p *proof) finds(t *testing.T, dir, overlay string) (finding string, found bool) {
	t.Helper()
	binary := filepath.Join(dir, p.name+".test")
	mutant.Build(t, core, p.pkg, binary, overlay)
	run := exec.CommandContext(t.Context(), binary, append(p.args, "-test.timeout=10m")...)
	run.Dir = filepath.Join(core, p.pkg)
	out, err := run.CombinedOutput()
	return mutant.Summarize(string(out)), err != nil
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
		t.Run(m.Name, func(t *testing.T) {
			if !*all && (!m.Quick || underRace) {
				m.Text(t, core)
				return
			}
			dir := t.TempDir()
			overlay := m.Overlay(t, core, dir)
			by, what := search(t, dir, overlay)
			if by == "" {
				t.Fatal("not found")
			}
			t.Logf("found by the %s: %s", by, what)
			rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s |\n", m.Name, m.File, by, what))
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
		row := fmt.Sprintf("| %s | %s |", m.Name, m.File)
		if n := strings.Count(section, row); n != 1 {
			t.Errorf("%s has %d rows %q, want one", doc, n, row)
		}
	}
	// Two lines of head.
	if got, want := strings.Count(section, "\n| "), len(mutants)+2; got != want {
		t.Errorf("%s has %d rows, want %d", doc, got, want)
	}
}
