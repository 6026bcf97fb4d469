package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/cmd/raftctl/where/keyrow"
	"github.com/raftctl/raftctl/cmd/raftctl/where/logrow"
	"github.com/raftctl/raftctl/cmd/raftctl/where/msgrow"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/repair/crosscheck"
	"github.com/raftctl/raftctl/snapshot/database"
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
		wantNamed(t, text, f.Name)
	}
}

// The same for messages.
func TestMessageJSONContract(t *testing.T) {
	text := readDoc(t, "docs/json.md")
	var out, errs bytes.Buffer
	a := testApp(&out, &errs)
	a.Dir = filepath.Dir(captured("3.6"))
	run(t.Context(), a, []string{"message", "dump", "peers-3.6.pcap.zst", "--type", "app", "--index", "23", "--limit", "1", "-o", "jsonl"})
	if out.Len() == 0 || !strings.Contains(text, out.String()) {
		t.Errorf("docs/json.md lacks this example:\n%s%s", out.String(), errs.String())
	}
	for _, f := range msgrow.Table.Fields() {
		wantNamed(t, text, f.Name)
	}
}

// wantNamed checks that the contract has a name.
func wantNamed(t *testing.T, text, name string) {
	t.Helper()
	if !strings.Contains(text, "`"+name+"`") {
		t.Errorf("docs/json.md lacks %q", name)
	}
}

// What the commands on snapshots print is in the contract: every name, every class, and an example.
func TestSnapshotJSONContract(t *testing.T) {
	text := readDoc(t, "docs/json.md")
	dir := corpus.Dir(t, "c36-leasecp-1n-clean")
	_, got, _ := command(t, "snapshot", "dump", dir, "--key", "l/2", "-o", "jsonl")
	if !strings.Contains(text, string(got)) {
		t.Errorf("docs/json.md lacks this example:\n%s", got)
	}
	for _, f := range keyrow.Table.Fields() {
		wantNamed(t, text, f.Name)
	}
	quota := corpus.Dir(t, "c36-quota-1n-clean")
	first, all := corpus.Dir(t, "chain-1n-after34"), corpus.Dir(t, "chain-1n-after37")
	clean := corpus.Dir(t, "c36-3m-clean") + "/m1"
	for _, args := range [][]string{
		{"list", clean},
		{"status", clean, "--top", "1", "--hashkv-rev", "1800"},
		{"status", quota},
		{"status", clean + "/member/snap/0000000000000003-000000000000078a.snap"},
		{"verify", quota},
		{"diff", clean + "@1800", clean},
		{"diff", clean + "@1800", clean, "--summary"},
		{"dump", clean, "--bucket", "key"},
		{"restore", "--from-member", quota, "--data-dir", "new", "--wal-dir", "log", "--dry-run"},
		{"restore", first + "/member/snap/db", "--skip-hash-check", "--data-dir", t.TempDir() + "/new", "--wal", all,
			"--until", "before-delete=from36/", "--rehearse"},
	} {
		_, got, errs := command(t, append([]string{"snapshot", args[0], "-o", "jsonl"}, args[1:]...)...)
		if len(got) == 0 {
			t.Fatalf("%q: %s", args, errs)
		}
		for line := range bytes.Lines(got) {
			var v any
			if err := json.Unmarshal(line, &v); err != nil {
				t.Fatalf("%q: %v", args, err)
			}
			wantNames(t, text, v)
		}
	}
	severities := map[string]string{}
	for _, c := range database.Classes() {
		severities[string(c.Class)] = string(c.Severity)
	}
	for _, c := range crosscheck.Classes() {
		severities[string(c.Class)] = string(c.Severity)
	}
	for class, severity := range severities {
		if !strings.Contains(text, "| `"+class+"` | `"+severity+"` |") {
			t.Errorf("docs/json.md lacks the class %s, of severity %s", class, severity)
		}
	}
}

// wantNames checks that the contract has all names of a value.
func wantNames(t *testing.T, text string, v any) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			wantNamed(t, text, strings.TrimSuffix(name, "_base64"))
			wantNames(t, text, x)
		}
	case []any:
		for _, x := range v {
			wantNames(t, text, x)
		}
	}
}

// The README's session is what the commands print, but for times, and how long they take.
func TestReadmeSession(t *testing.T) {
	took := regexp.MustCompile(`(?m)^(took|changed) .*$`)
	lines := strings.Split(took.ReplaceAllString(readDoc(t, "README.md"), "$1"), "\n")
	dir := t.TempDir()
	testdata, err := filepath.Abs("../../testdata")
	if err == nil {
		err = os.Symlink(testdata, filepath.Join(dir, "testdata"))
	}
	if err != nil {
		t.Fatal(err)
	}
	commands := 0
	for i, line := range lines {
		rest, ok := strings.CutPrefix(line, "$ raftctl ")
		if !ok {
			continue
		}
		commands++
		for j := i; strings.HasSuffix(lines[j], " \\"); j++ {
			rest, i = strings.TrimSuffix(rest, "\\")+lines[j+1], j+1
		}
		var out, errs bytes.Buffer
		a := testApp(&out, &errs)
		a.Dir = dir
		run(t.Context(), a, strings.Fields(rest))
		want := took.ReplaceAllString(strings.TrimRight(out.String(), "\n"), "$1")
		if got := strings.Join(lines[i+1:], "\n"); want == "" || !strings.HasPrefix(got, want+"\n") {
			t.Errorf("README.md: after %q, want\n%s\n%s", line, want, errs.String())
		}
	}
	if commands < 4 {
		t.Errorf("%d commands in the README's session, want at least 4", commands)
	}
}

// What `wal stat` prints, of logs that tell of times and of others, is in the contract.
func TestStatJSONContract(t *testing.T) {
	text := readDoc(t, "docs/json.md")
	for _, kind := range decode.ClockKinds() {
		if !strings.Contains(text, "| `"+string(kind)+"` | ") {
			t.Errorf("docs/json.md lacks the kind of clocks %q", kind)
		}
	}
	for _, dir := range []string{corpus.Dir(t, "c36-3m-clean") + "/m1", corpus.Dir(t, "c34-1n-clean")} {
		_, got, _ := command(t, "wal", "stat", dir, "-o", "json")
		var v any
		if err := json.Unmarshal(got, &v); err != nil {
			t.Fatal(err)
		}
		wantNames(t, text, v)
	}
}
