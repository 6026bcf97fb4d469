package script

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// The reference's module ships this many scripts. Fewer would mean that some were not found.
const referenceScripts = 28

func TestReferenceScripts(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "go.etcd.io/raft/v3").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "testdata", "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != referenceScripts {
		t.Errorf("%d scripts, want %d", len(files), referenceScripts)
	}
	runScripts(t, files)
}

func TestOwnScripts(t *testing.T) {
	files, err := filepath.Glob("../../testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Error("no scripts")
	}
	runScripts(t, files)
}

func runScripts(t *testing.T, files []string) {
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			var e env
			datadriven.RunTest(t, file, e.run)
		})
	}
}
