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
	table = flag.String("mutation.table", "", "file to write the table for docs/node.md to")
	seeds = flag.Int("mutation.seeds", 2000, "the number of seeds in which a mutant must be found")
)

// root is the module's folder.
const root = "../../.."

// finds reports in what words the simulator finds a mutant.
func finds(t *testing.T, m *mutant.Mutant) (finding string, found bool) {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "sim.test")
	mutant.Build(t, root, "./node/internal/sim", binary, m.Overlay(t, root, dir))
	run := exec.CommandContext(t.Context(), binary, "-test.run=^TestWorlds$", fmt.Sprint("-sim.seeds=", *seeds), "-test.timeout=15m")
	out, err := run.CombinedOutput()
	return mutant.Summarize(string(out)), err != nil
}

func TestMutants(t *testing.T) {
	var rows []string
	for i := range mutants {
		m := &mutants[i]
		t.Run(m.Name, func(t *testing.T) {
			if !*all && (!m.Quick || underRace) {
				m.Text(t, root)
				return
			}
			what, found := finds(t, m)
			if !found {
				t.Fatal("not found")
			}
			t.Log(what)
			rows = append(rows, fmt.Sprintf("| %s | %s | %s |\n", m.Name, m.File, what))
		})
	}
	if *table != "" {
		if err := os.WriteFile(*table, []byte(strings.Join(rows, "")), 0o600); err != nil {
			t.Error(err)
		}
	}
}
