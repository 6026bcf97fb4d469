package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/repair/etcdlog"
)

// What the doctor prints is in the contract: every name, class and cause, and no others of these.
func TestDoctorJSONContract(t *testing.T) {
	text := readDoc(t, "docs/json.md")
	damaged := corpus.Copy(t, "c36-leasecp-1n-clean")
	segment := filepath.Join(damaged, "member", "wal", segmentName)
	b, err := os.ReadFile(segment)
	if err != nil {
		t.Fatal(err)
	}
	b[874]++ // in a frame's length
	log := filepath.Join(t.TempDir(), "etcd.log")
	const lines = `{"level":"info","msg":"starting an etcd server","etcd-version":"3.6.16","data-dir":"/d","wal-dir-dedicated":"/w"}` +
		"\npanic: removed all voters\n"
	for name, data := range map[string][]byte{segment: b, log: []byte(lines)} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	clean := corpus.Dir(t, "c36-3m-clean")
	for _, args := range [][]string{
		{clean + "/m1", clean + "/m5", "missing"}, {damaged, "--log", log}, {clean + "/m1/member/snap/db"},
	} {
		_, got, errs := command(t, append([]string{"doctor", "-o", "json"}, args...)...)
		var v any
		if err := json.Unmarshal(got, &v); err != nil {
			t.Fatalf("%q: %v: %s", args, err, errs)
		}
		wantNames(t, text, v)
	}
	section := text[strings.Index(text, "## `doctor`"):]
	section = section[:strings.Index(section, "\n## ")]
	var classes, causes []string
	for _, c := range repair.OwnClasses() {
		classes = append(classes, fmt.Sprintf("| `%s` | `%s` | %s |", c.Class, c.Severity, c.Doc))
	}
	for _, c := range etcdlog.Causes() {
		causes = append(causes, fmt.Sprintf("| `%s` | %s | `%s` |", c.Name, map[bool]string{true: "yes"}[c.Fatal],
			strings.Join(c.Words, "`, `")))
	}
	for heading, want := range map[string][]string{"| `class` of a finding |": classes, "| `cause` |": causes} {
		if diff := cmp.Diff(want, rowsOf(section, heading)); diff != "" {
			t.Errorf("docs/json.md, %s (-code +docs)\n%s", heading, diff)
		}
	}
	for _, c := range []repair.Check{repair.CheckLog, repair.CheckSnapshots, repair.CheckDatabase, repair.CheckTogether,
		repair.CheckMembers, repair.CheckStart, repair.CheckCluster} {
		if !strings.Contains(section, "| `"+string(c)+"` | ") {
			t.Errorf("docs/json.md lacks the check %s", c)
		}
	}
}

// rowsOf returns the rows of the table whose heading begins so.
func rowsOf(text, heading string) (rows []string) {
	_, table, _ := strings.Cut(text, "\n"+heading)
	for i, line := range strings.Split(table, "\n") {
		if i > 1 && !strings.HasPrefix(line, "|") {
			break
		}
		if i > 1 { // behind the heading and the line below it
			rows = append(rows, line)
		}
	}
	return rows
}
