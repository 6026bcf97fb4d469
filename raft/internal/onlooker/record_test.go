package onlooker

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/raftctl/raftctl/decode/stream/recording"
	"github.com/raftctl/raftctl/raft/internal/sim"
)

// record writes what the members of a seed's world say as a recording, for `raftctl message draw`.
func record(t *testing.T, seed uint64, dir string) (sent int64) {
	t.Helper()
	w, err := recording.Create(dir, recording.Metadata{}, recording.Options{})
	if err != nil {
		t.Fatal(err)
	}
	sim.RunSeen(seed, sim.Options{Wire: func(s sim.Sent) {
		sent++
		e := eventOf(s, sent)
		if err := w.Append(&e); err != nil {
			t.Fatal(err)
		}
	}})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return sent
}

// TestRecord records seeds: with -onlooker.save all of them, to be looked at, else the first.
func TestRecord(t *testing.T) {
	folder, last := *save, *first+*seeds
	if folder == "" {
		folder, last = t.TempDir(), *first+1
	}
	for seed := *first; seed < last; seed++ {
		dir := filepath.Join(folder, fmt.Sprintf("seed-%d.rec", seed))
		sent := record(t, seed, dir)
		r, err := recording.Open(os.DirFS(dir), ".")
		if err != nil {
			t.Fatal(err)
		}
		got := int64(0)
		for e, err := range r.Events() {
			if err != nil || e.Message == nil {
				t.Fatalf("event %d: %v, %v", got, e, err)
			}
			got++
		}
		if got != sent || sent < 100 {
			t.Errorf("seed %d: %d messages were recorded, %d sent", seed, got, sent)
		}
	}
}
