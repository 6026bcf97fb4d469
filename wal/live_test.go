package wal

import (
	"os"
	"path/filepath"
	"testing"

	etcdwal "go.etcd.io/etcd/server/v3/storage/wal"
	"go.uber.org/zap"
)

// A log that etcd's package writes at full speed, over several segments, is read again and again: what
// is read is a prefix of what is written, at least as long as the one before, and the only damage is a
// last record that is not all there yet.
func TestReadWhileWritten(t *testing.T) {
	const segmentSize, saves = 256 << 10, 400
	setEtcdSegmentSize(t, segmentSize)
	dir := filepath.Join(t.TempDir(), "wal")
	w, err := etcdwal.Create(zap.NewNop(), dir, builtMetadata.AppendTo(nil))
	check(t, err)
	w.SetUnsafeNoFsync()
	written := make(chan error, 1)
	go func() {
		index := uint64(0)
		for range saves {
			if err := saveEntries(w, &index, 20); err != nil {
				written <- err
				return
			}
		}
		written <- w.Close()
	}()
	seen := uint64(0)
	for done := false; !done && !t.Failed(); {
		select {
		case err := <-written:
			check(t, err)
			done = true // and once more, to the end
		default:
		}
		seen = readLive(t, dir, seen)
	}
	if seen != saves*20 {
		t.Errorf("read up to entry %d, want %d", seen, saves*20)
	}
}

// readLive reads a log and returns the index of its last entry, which is seen or higher.
func readLive(t *testing.T, dir string, seen uint64) uint64 {
	t.Helper()
	l, err := Open(os.DirFS(dir), ".")
	check(t, err)
	defer l.Close()
	last := uint64(0)
	for r, err := range l.Records(Inspect) {
		check(t, err)
		switch {
		case r.Kind == KindDamage && r.Damage.Class != ClassTorn:
			t.Errorf("%v", r.Damage)
		case r.Kind == KindEntry && r.ID.Index != last+1:
			t.Errorf("%v: entry %v after index %d", r.Pos, r.ID, last)
		case r.Kind == KindEntry:
			last++
		}
	}
	if last < seen {
		t.Errorf("%d entries, %d before", last, seen)
	}
	return last
}
