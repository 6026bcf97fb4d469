package script

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/raftctl/raftctl/raft/internal/reference"
)

func TestReferenceScripts(t *testing.T) {
	reference.RunScripts(t, "testdata", 28,
		func() func(*testing.T, *datadriven.TestData) string { return new(env).run })
}

func TestOwnScripts(t *testing.T) {
	files, err := filepath.Glob("../../testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Error("no scripts")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			datadriven.RunTest(t, file, new(env).run)
		})
	}
}
