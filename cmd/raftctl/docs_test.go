package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/cmd/raftctl/where/logrow"
	"github.com/raftctl/raftctl/internal/corpus"
)

func readDoc(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The example in docs/json.md is what the command prints, and every field is in the contract.
func TestJSONContract(t *testing.T) {
	text := readDoc(t, "docs/json.md")
	_, got, _ := command(t, "wal", "dump", corpus.Archive("c36-leasecp-1n-clean"), "--index", "9", "-o", "jsonl")
	if !strings.Contains(text, string(got)) {
		t.Errorf("docs/json.md lacks this example:\n%s", got)
	}
	for _, f := range logrow.Table.Fields() {
		if !strings.Contains(text, "`"+f.Name+"`") {
			t.Errorf("docs/json.md lacks the field %q", f.Name)
		}
	}
}

// The README's session is what the commands print.
func TestReadmeSession(t *testing.T) {
	text := readDoc(t, "README.md")
	lines := strings.Split(text, "\n")
	commands := 0
	for i, line := range lines {
		rest, ok := strings.CutPrefix(line, "$ raftctl ")
		if !ok {
			continue
		}
		commands++
		args := strings.Fields(rest)
		for j, a := range args {
			if strings.HasPrefix(a, "testdata/") {
				args[j] = filepath.Join("..", "..", a)
			}
		}
		_, out, _ := command(t, args...)
		want := strings.TrimRight(string(out), "\n")
		if got := strings.Join(lines[i+1:], "\n"); !strings.HasPrefix(got, want+"\n") {
			t.Errorf("README.md: after %q, want\n%s", line, want)
		}
	}
	if commands < 3 {
		t.Errorf("%d commands in the README's session, want at least 3", commands)
	}
}
