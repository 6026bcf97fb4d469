package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/wal"
)

// Records that are put back from another member are in the plan's file, and not in what is printed.
func TestRepairHidesWhatItPutsBack(t *testing.T) {
	const planted = "pl4nted-S3cret-of-etcd"
	dir := t.TempDir()
	for _, member := range []string{"m1", "m2"} {
		w, err := wal.Create(nil, filepath.Join(dir, member), wal.CreateOptions{Metadata: wal.Metadata{NodeID: 1, ClusterID: 2}})
		if err != nil {
			t.Fatal(err)
		}
		entries := []raftpb.Entry{{Term: 1, Index: 1}, {Term: 1, Index: 2, Data: []byte(planted)}, {Term: 1, Index: 3, Data: []byte("behind")}}
		if err := w.Append(raftpb.HardState{Term: 1, Commit: 3}, entries); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	segment := filepath.Join(dir, "m1", segmentName)
	b, err := os.ReadFile(segment)
	if err != nil {
		t.Fatal(err)
	}
	clear(b[bytes.Index(b, []byte(planted)):][:len(planted)])
	if err := os.WriteFile(segment, b, 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	a := testApp(&out, &errs)
	a.Dir = dir
	for _, args := range [][]string{{}, {"-o", "json"}, {"-o", "json", "--plan", "plan.json"}} {
		out.Reset()
		status := run(t.Context(), a, append([]string{"wal", "repair", "m1", "--from", "m2"}, args...))
		if status != ui.StatusDamage || !bytes.Contains(out.Bytes(), []byte("restore_bytes")) || leaked(out.Bytes(), planted) {
			t.Errorf("%q: exit status %d: %s%s", args, status, &out, &errs)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "plan.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the plan's file: %v, %v, want one that only its owner reads", info.Mode(), err)
	}
	if status := run(t.Context(), a, []string{"wal", "repair", "--apply", "plan.json", "--output", "new"}); status != ui.StatusOK {
		t.Fatalf("exit status %d: %s", status, &errs)
	}
	m, err := repair.Open(t.Context(), filepath.Join(dir, "new"), repair.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Close() }() // opened for reading
	if got := m.Report.Last.Index; got != 3 {
		t.Errorf("the result ends at entry %d, want 3", got)
	}
}
