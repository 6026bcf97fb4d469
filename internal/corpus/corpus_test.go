package corpus

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestLogs(t *testing.T) {
	logs := Logs(t)
	if len(logs) < 20 {
		t.Fatalf("%d logs, want at least 20", len(logs))
	}
	for _, l := range logs {
		segments, err := filepath.Glob(filepath.Join(l.Dir, "member", "wal", "*.wal"))
		if err != nil || len(segments) == 0 {
			t.Errorf("%s: no segments in %s (%v)", l.Name, l.Dir, err)
		}
	}
}

func TestGolden(t *testing.T) {
	got := Golden(t, "c34-1n-clean.raw.txt")
	if want := []byte("CRC: 0\nMetadata: "); !bytes.HasPrefix(got, want) {
		t.Errorf("got %.40q, want prefix %q", got, want)
	}
	if _, ok := LookupGolden(t, "c34-1n-clean.no-such"); ok {
		t.Error("found a golden file that doesn't exist")
	}
}

// A copy is the test's own: changing it must not change what others see.
func TestCopyIsPrivate(t *testing.T) {
	const name = "c36-leasecp-1n-clean"
	segment := filepath.Join("member", "wal", "0000000000000000-0000000000000000.wal")
	mine := filepath.Join(Copy(t, name), segment)
	before, err := os.ReadFile(mine)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(mine, []byte("changed"), 0o600); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(filepath.Join(Dir(t, name), segment))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, after) {
		t.Errorf("the shared segment differs from the copy: %d bytes, want %d", len(after), len(before))
	}
}
