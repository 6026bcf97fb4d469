// Package reference finds what ships with the reference implementation, go.etcd.io/raft/v3, in the
// module cache. Only tests import it.
package reference

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// RunScripts runs the test scripts in a folder of the reference's module, each as a subtest. run
// returns what executes the commands of one script. A number of scripts other than want is an
// error: some would have been missed.
func RunScripts(t *testing.T, folder string, want int,
	run func() func(*testing.T, *datadriven.TestData) string,
) {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "go.etcd.io/raft/v3").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), folder, "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != want {
		t.Errorf("%d scripts in %s, want %d", len(files), folder, want)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			datadriven.RunTest(t, file, run())
		})
	}
}
