package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/repair/change"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/wal"
)

// section returns the part of a text below a heading.
func section(t *testing.T, text, heading string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, "\n"+heading+"\n")
	if !ok {
		t.Fatalf("no %q", heading)
	}
	part, _, _ := strings.Cut(rest, "\n## ")
	return part
}

// What a repair prints and stores is in the contract: every name that it may have, and every status and remedy.
func TestRepairJSONContract(t *testing.T) {
	text := readDoc(t, "docs/json.md")
	of, undo := section(t, text, "## A repair: `wal repair`"), section(t, text, "## What was changed in place: `undo`")
	for _, name := range append(tags(reflect.TypeFor[repair.Plan](), nil), "applied", "change", "plan_hash") {
		wantNamed(t, of, name)
	}
	for _, name := range tags(reflect.TypeFor[change.Change](), nil) {
		wantNamed(t, undo, name)
	}
	var lost any
	if b, err := json.Marshal(repair.LostEntry{}); err != nil || json.Unmarshal(b, &lost) != nil {
		t.Fatal(err)
	}
	wantNames(t, of, lost)
	var statuses, remedies []string
	for _, s := range repair.Statuses() {
		statuses = append(statuses, fmt.Sprintf("| `%s` | %s | %s |", s.Status, s.Doc, exits[s.Status]))
	}
	for _, r := range repair.Remedies() {
		remedies = append(remedies, fmt.Sprintf("| `%s` | %s |", r.Name, r.Doc))
	}
	for heading, want := range map[string][]string{"| `status` | | exit status |": statuses, "| `remedy` | |": remedies} {
		if diff := cmp.Diff(want, rowsOf(of, heading)); diff != "" {
			t.Errorf("docs/json.md, %s (-code +docs)\n%s", heading, diff)
		}
	}
	for _, s := range []change.State{change.Made, change.Done, change.HalfDone, change.TakenBack, change.HalfUndone, change.Undone} {
		wantNamed(t, undo, string(s))
	}
}

// exits are the exit statuses of plans.
var exits = map[repair.Status]string{
	repair.StatusHealthy: fmt.Sprint(ui.StatusOK),
	repair.StatusRepair:  fmt.Sprintf("%d; %d once applied", ui.StatusDamage, ui.StatusOK),
	repair.StatusLoss:    fmt.Sprint(ui.StatusRefused),
	repair.StatusLossy:   fmt.Sprintf("%d; %d once applied", ui.StatusDamage, ui.StatusOK),
	repair.StatusNone:    fmt.Sprint(ui.StatusRefused),
	repair.StatusBeside:  fmt.Sprint(ui.StatusDamage),
}

// tags returns the names that a type has in JSON, and those below it.
func tags(t reflect.Type, seen []reflect.Type) (names []string) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	for _, s := range seen {
		if s == t {
			return nil
		}
	}
	if t.Kind() != reflect.Struct || t.PkgPath() == "time" {
		return nil
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() {
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" {
			names = append(names, name)
		}
		if reflect.PointerTo(f.Type).Implements(reflect.TypeFor[json.Unmarshaler]()) {
			continue // its names are its own
		}
		names = append(names, tags(f.Type, append(seen, t))...)
	}
	return names
}

// docs/repair.md has every class of the log and of what lies beside it, every remedy and every status, and no class or
// remedy that there isn't.
func TestRepairDoc(t *testing.T) {
	text := readDoc(t, "docs/repair.md")
	known := map[string]bool{}
	for _, c := range append(wal.Classes(), outlook.Classes()...) {
		wantInDoc(t, text, string(c.Class))
		known[string(c.Class)] = true
		row := strings.Contains(text, "\n| `"+string(c.Class)+"` |")
		if mends := c.Severity == wal.SeverityError || c.Class == outlook.ClassSnapshotCorrupt; row != mends {
			t.Errorf("docs/repair.md: %s has a row: %v, want %v", c.Class, row, mends)
		}
	}
	var names []string
	for _, r := range repair.Remedies() {
		names = append(names, r.Name)
		known[r.Name] = true
	}
	var told []string
	for _, row := range rowsOf(text, "| Remedy |") {
		if name, _, ok := strings.Cut(strings.TrimPrefix(row, "| `"), "`"); ok {
			told = append(told, name)
		}
	}
	if diff := cmp.Diff(names, told); diff != "" {
		t.Errorf("docs/repair.md: remedies (-code +docs)\n%s", diff)
	}
	for _, heading := range []string{"| Class |", "| Remedy |"} {
		_, rest, _ := strings.Cut(text, "\n"+heading)
		table, _, _ := strings.Cut(rest, "\n\n")
		for _, m := range regexp.MustCompile("`([a-z][a-z_]+)`").FindAllStringSubmatch(table, -1) {
			if !known[m[1]] {
				t.Errorf("docs/repair.md: %q is no class or remedy", m[1])
			}
		}
	}
}

func wantInDoc(t *testing.T, text, name string) {
	t.Helper()
	if !strings.Contains(text, "`"+name+"`") {
		t.Errorf("docs/repair.md lacks %q", name)
	}
}

// The damaged log that README and demo repair is a healthy one with one bit flipped.
func TestDamagedLog(t *testing.T) {
	const segment = "member/wal/" + segmentName
	good, err := os.ReadFile(filepath.Join(corpus.Dir(t, "c36-leasecp-1n-clean"), segment))
	if err != nil {
		t.Fatal(err)
	}
	bad, err := os.ReadFile(filepath.Join(corpus.Copy(t, "damaged/flipped"), segment))
	if err != nil {
		t.Fatal(err)
	}
	bad[724] ^= 1
	if !bytes.Equal(good, bad) {
		t.Error("it differs in more than the lowest bit at offset 724")
	}
}
