package wal

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

// A new leader may overwrite entries from before a cut, so that the index in the next segment's name
// is below that of the segment before.
func TestOverwriteAcrossACut(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "wal")
	w, err := Create(nil, dir, CreateOptions{Metadata: builtMetadata})
	if err != nil {
		t.Fatal(err)
	}
	history := []struct{ term, first, last uint64 }{{1, 1, 10}, {1, 11, 12}, {2, 5, 6}, {2, 7, 8}}
	for _, h := range history {
		var entries []raftpb.Entry
		for i := h.first; i <= h.last; i++ {
			entries = append(entries, raftpb.Entry{Term: h.term, Index: i, Data: []byte("data")})
		}
		if err := w.Append(raftpb.HardState{Term: h.term, Vote: 1, Commit: 2}, entries); err != nil {
			t.Fatal(err)
		}
		if err := w.Roll(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if w, _, err = OpenForAppend(nil, dir, AppendOptions{}); err != nil {
		t.Fatalf("refused: %v", err)
	}
	if got := w.Last(); got != 8 {
		t.Errorf("last index %d, want 8", got)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	log, err := Open(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	r, err := log.Verify(t.Context(), VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict != VerdictOK || r.Outlook("3.7").Action != ActionBoots {
		t.Errorf("verdict %s, etcd %s:\n%s", r.Verdict, r.Outlook("3.7").Action, findingLines(r))
	}
}
