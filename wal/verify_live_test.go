package wal

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	etcdwal "go.etcd.io/etcd/server/v3/storage/wal"
	"go.uber.org/zap"
)

// TestVerifyLive verifies a log again and again while etcd's package writes to it and begins new
// segments. A log that is only unfinished must never look damaged.
func TestVerifyLive(t *testing.T) {
	etcdSegmentSize(t, 64<<10)
	dir := filepath.Join(t.TempDir(), "wal")
	meta := Metadata{NodeID: 0xa1, ClusterID: 0xc1}
	w, err := etcdwal.Create(zap.NewNop(), dir, meta.AppendTo(nil))
	if err != nil {
		t.Fatal(err)
	}
	w.SetUnsafeNoFsync() // what matters here is the order of the writes
	const entries = 10_000
	written := make(chan error, 1)
	go func() {
		rng := rand.New(rand.NewPCG(1, 1))
		for i := range uint64(entries) {
			for _, s := range []step{ent(2, i+1), state(2, i+1)} {
				if err := etcdSave(w, rng, s); err != nil {
					written <- err
					return
				}
			}
		}
		written <- w.Close()
	}()
	rounds, last := 0, uint64(0)
	for done := false; !done; rounds++ {
		select {
		case err := <-written:
			if err != nil {
				t.Fatal(err)
			}
			done = true // and one more round
		default:
		}
		l, err := Open(os.DirFS(dir), ".")
		if err != nil {
			t.Fatal(err)
		}
		r, err := l.Verify(t.Context(), VerifyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict != VerdictOK {
			t.Fatalf("round %d: verdict %s\n%s", rounds, r.Verdict, findingLines(r))
		}
		if r.Last.Index < last {
			t.Errorf("round %d: last entry %d, was %d before", rounds, r.Last.Index, last)
		}
		last = r.Last.Index
		l.Close()
	}
	if last != entries {
		t.Errorf("last entry %d, want %d", last, entries)
	}
	t.Logf("%d rounds", rounds)
}
