package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// writeLog writes a log of 40 entries whose hard states commit them, and returns its segment and where
// each entry's record lies.
func writeLog(t *testing.T, dir string, after uint64) (b []byte, offs []int64) {
	t.Helper()
	w, err := wal.Create(nil, dir, wal.CreateOptions{Metadata: wal.Metadata{NodeID: 1, ClusterID: 2}})
	if err != nil {
		t.Fatal(err)
	}
	if after > 0 {
		err := w.SaveSnapshot(wal.Snapshot{
			Index: after, Term: 2, ConfState: &raftpb.ConfState{Voters: []uint64{1}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := after + 1; i <= after+40; i++ {
		offs = append(offs, w.Size())
		err := w.Append(raftpb.HardState{Term: 2, Vote: 1, Commit: i}, []raftpb.Entry{
			{Term: 2, Index: i, Data: fmt.Appendf(nil, "entry %d behind %d", i, after)},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	b, err = os.ReadFile(filepath.Join(dir, segmentName))
	if err != nil {
		t.Fatal(err)
	}
	return b, offs
}

// TestForeignRecords writes records of another log over a log's own. They are shown as that, where all
// records are shown, and hide none of the log's own.
func TestForeignRecords(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "wal")
	own, at := writeLog(t, dir, 100)
	other, from := writeLog(t, filepath.Join(t.TempDir(), "wal"), 10)
	piece := other[from[5]:from[9]]
	copy(own[at[20]:], piece)
	if err := os.WriteFile(filepath.Join(dir, segmentName), own, 0o600); err != nil {
		t.Fatal(err)
	}
	status, out, _ := command(t, "wal", "dump", dir, "--physical")
	if n := bytes.Count(out, []byte(" (of another log)\n")); status != 1 || n < 3 {
		t.Errorf("status %d, %d records of another log:\n%s", status, n, out)
	}
	_, lines, _ := command(t, "wal", "dump", dir, "--physical", "-o", "jsonl", "--where", "foreign && kind == 'entry'")
	if n := bytes.Count(lines, []byte(`"foreign":true`)); n != 3 {
		t.Errorf("%d entries of another log, want 3:\n%s", n, lines)
	}
	_, lines, _ = command(t, "wal", "dump", dir, "-o", "jsonl", "--kind", "entry")
	if n := bytes.Count(lines, []byte("\n")); n < 35 || bytes.Contains(lines, []byte("behind 10\"")) {
		t.Errorf("%d entries:\n%s", n, lines)
	}
	_, report, _ := command(t, "wal", "verify", dir)
	if !bytes.Contains(report, []byte("foreign_records")) {
		t.Errorf("no finding of class foreign_records:\n%s", report)
	}
}
