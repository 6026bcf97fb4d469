package change_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/change"
)

// benchBytes returns how large the logs are: 64 MiB, or what RAFTCTL_BENCH_BYTES says.
func benchBytes(b *testing.B) int64 {
	b.Helper()
	text := os.Getenv("RAFTCTL_BENCH_BYTES")
	if text == "" {
		return 64 << 20
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		b.Fatalf("RAFTCTL_BENCH_BYTES: %v", err)
	}
	return n
}

const benchSegment = 64 << 20

// benchLog makes a log of random bytes.
func benchLog(b *testing.B, dir string, size int64) {
	b.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		b.Fatal(err)
	}
	random := rand.NewChaCha8([32]byte{})
	buf := make([]byte, benchSegment)
	for i := range size / benchSegment {
		_, _ = random.Read(buf) // never fails
		if err := writeFile(vfs.OS, filepath.Join(dir, fmt.Sprintf("%016x-%016x.wal", i, i)), buf); err != nil {
			b.Fatal(err)
		}
	}
}

// copyLog copies a log, and syncs the copy.
func copyLog(b *testing.B, from, to string) {
	b.Helper()
	entries, err := os.ReadDir(from)
	if err == nil {
		err = os.MkdirAll(to, 0o700)
	}
	if err != nil {
		b.Fatal(err)
	}
	for _, e := range entries {
		name := filepath.Join(to, e.Name())
		if err := vfs.CopyFile(vfs.OS, filepath.Join(from, e.Name()), name, func(int64, int64) error { return nil }); err != nil {
			b.Fatal(err)
		}
		f, err := vfs.OS.OpenFile(name, os.O_RDWR, 0)
		if err == nil {
			err = f.Sync()
		}
		if err != nil {
			b.Fatal(err)
		}
		_ = f.Close()
	}
}

// BenchmarkPlace puts a log in place of another one, whose sums nobody knows yet. The peer copies the
// log, and syncs the copy.
func BenchmarkPlace(b *testing.B) {
	size := benchBytes(b)
	dir := b.TempDir()
	log := filepath.Join(dir, "log")
	benchLog(b, log, size)
	at := change.Place{Log: log}
	b.Run("impl=ours", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			b.StopTimer()
			s, err := change.Begin(change.Options{FS: vfs.OS, Source: at, InPlace: true, Now: now})
			if err != nil {
				b.Fatal(err)
			}
			copyLog(b, log, s.Log())
			b.StartTimer()
			c, err := s.Place(b.Context(), record)
			if err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			if err := os.RemoveAll(c.Kept); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
	})
	b.Run("impl=copy", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			to := filepath.Join(dir, "copy")
			copyLog(b, log, to)
			b.StopTimer()
			if err := os.RemoveAll(to); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
	})
}
