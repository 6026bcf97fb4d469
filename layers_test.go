package raftctl_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const module = "github.com/raftctl/raftctl"

// floors tells on which floor a package stands. Imports go down only, and packages on one floor
// don't import each other. A package that is not listed stands where its parent does.
var floors = map[string]int{
	"raftpb":      0,
	"raft":        1,
	"wal":         1,
	"snapshot":    1,
	"decode":      2,
	"node/kv":     2,
	"node/peer":   2,
	"repair":      3,
	"node":        3,
	"cmd/raftctl": 4,
}

// beside are the internal packages that non-test code of any floor may import. They import nothing
// of ours but each other.
var beside = []string{
	"internal/archive", "internal/datadir", "internal/display", "internal/etcdwire",
	"internal/jsontext", "internal/metric", "internal/rawsocket", "internal/secret", "internal/verdict", "internal/vfs",
	"internal/vfs/faultfs", "internal/wirefield",
}

// references are what the project is tested against, and must not be made of.
var references = []string{
	"go.etcd.io/raft/v3",
	"go.etcd.io/etcd/server/v3/storage/wal",
	"go.etcd.io/etcd/server/v3/etcdserver/api/snap",
	"go.etcd.io/etcd/server/v3/etcdserver/api/rafthttp",
}

// topLevel is everything that may lie in the module's root folder.
var topLevel = []string{
	"cmd", "wal", "snapshot", "raftpb", "decode", "repair", "raft", "node", "internal", "testdata", "docs",
	"go.mod", "go.sum", "Makefile", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE",
	".ci", ".git", ".gitignore", ".golangci.yml", "build", "doc.go", "example_test.go", "layers_test.go",
}

type listed struct {
	ImportPath string
	Doc        string
	Imports    []string
}

func listPackages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Doc,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var pkgs []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

// local returns the path of a package within the module; ok is false for one of another module.
func local(importPath string) (path string, ok bool) {
	return strings.CutPrefix(importPath, module+"/")
}

// owner returns the listed package that path is or lies in.
func owner(path string) (name string, ok bool) {
	for name = path; ; {
		if _, ok := floors[name]; ok {
			return name, true
		}
		i := strings.LastIndexByte(name, '/')
		if i < 0 {
			return "", false
		}
		name = name[:i]
	}
}

func TestImportsGoDown(t *testing.T) {
	for _, p := range listPackages(t) {
		path, ok := local(p.ImportPath)
		if !ok {
			continue // the root, which holds no code
		}
		from, onFloor := owner(path)
		if !onFloor && !strings.HasPrefix(path, "internal/") {
			t.Errorf("%s stands on no floor", path)
		}
		for _, imp := range p.Imports {
			to, ok := local(imp)
			if !ok || !onFloor || allowed(from, to) {
				continue
			}
			t.Errorf("%s imports %s, which is not below it", path, to)
		}
	}
}

func allowed(from, to string) bool {
	if slices.Contains(beside, to) {
		return true
	}
	target, ok := owner(to)
	return ok && (target == from || floors[target] < floors[from])
}

func TestSidePackagesImportNothingOfOurs(t *testing.T) {
	for _, p := range listPackages(t) {
		path, _ := local(p.ImportPath)
		if !slices.Contains(beside, path) {
			continue
		}
		for _, imp := range p.Imports {
			if to, ok := local(imp); ok && !slices.Contains(beside, to) {
				t.Errorf("%s imports %s", path, to)
			}
		}
	}
}

// Only test files may import the reference implementations; go list leaves test files out.
func TestReferencesStayInTests(t *testing.T) {
	for _, p := range listPackages(t) {
		for _, imp := range p.Imports {
			for _, ref := range references {
				if imp == ref || strings.HasPrefix(imp, ref+"/") {
					t.Errorf("%s imports %s outside its tests", p.ImportPath, imp)
				}
			}
		}
	}
}

func TestEveryPackageHasAComment(t *testing.T) {
	for _, p := range listPackages(t) {
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var extra []string
	for _, e := range entries {
		if !slices.Contains(topLevel, e.Name()) {
			extra = append(extra, e.Name())
		}
	}
	if diff := cmp.Diff([]string(nil), extra); diff != "" {
		t.Errorf("not part of the layout:\n%s", diff)
	}
}

// CONTRIBUTING.md says by file name where things are; the files are there.
func TestContributingNamesFiles(t *testing.T) {
	text, err := os.ReadFile("CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "**Where is …**")
	table, _, ended := strings.Cut(table, "**Own code.**")
	if !found || !ended {
		t.Fatal("no table of where things are")
	}
	if rows := strings.Count(table, "\n| ") - 2; rows < 15 { // two lines are its head
		t.Errorf("%d rows, want 15 or more", rows)
	}
	for i, name := range strings.Split(table, "`") {
		if i%2 == 0 || strings.HasPrefix(name, "--") {
			continue // between two names, or a flag
		}
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
}
