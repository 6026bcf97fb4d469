package bolt_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	bbolt "go.etcd.io/bbolt"

	"github.com/raftctl/raftctl/snapshot/bolt"
)

// benchBytes returns how large the databases are: 32 MiB, or what RAFTCTL_BENCH_BYTES says.
func benchBytes(b *testing.B) int64 {
	b.Helper()
	text := os.Getenv("RAFTCTL_BENCH_BYTES")
	if text == "" {
		return 32 << 20
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		b.Fatalf("RAFTCTL_BENCH_BYTES: %v", err)
	}
	return n
}

// benchDB returns a database that holds values of a size under keys as etcd's, in the order in which
// etcd puts them. It is made once and kept in build/bench.
func benchDB(b *testing.B, valueSize int) string {
	b.Helper()
	_, file, _, _ := runtime.Caller(0)
	want := benchBytes(b)
	dir := filepath.Join(filepath.Dir(file), "..", "..", "build", "bench")
	path := filepath.Join(dir, fmt.Sprintf("bolt-%d-%d", valueSize, want))
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	tmp := path + ".part"
	_ = os.Remove(tmp)
	db, err := bbolt.Open(tmp, 0o600, &bbolt.Options{NoSync: true, NoFreelistSync: true})
	if err != nil {
		b.Fatal(err)
	}
	for rev := uint64(2); want > 0; {
		err := db.Update(func(tx *bbolt.Tx) error {
			bucket, err := tx.CreateBucketIfNotExists([]byte("key"))
			if err != nil {
				return err
			}
			bucket.FillPercent = 0.9 // as etcd sets it, since keys are put in order
			for range 2000 {
				value := bytes.Repeat([]byte{byte(rev)}, valueSize)
				if err := bucket.Put(fmt.Appendf(nil, "%08d_%08d", rev, 0), value); err != nil {
					return err
				}
				rev++
				want -= int64(valueSize)
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	if err := os.Rename(tmp, path); err != nil {
		b.Fatal(err)
	}
	return path
}

func eachSize(b *testing.B, run func(b *testing.B, f *os.File, db *bolt.DB)) {
	for _, size := range []int{128, 1024, 16 << 10} {
		b.Run(fmt.Sprintf("value=%d", size), func(b *testing.B) {
			f, err := os.Open(benchDB(b, size))
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = f.Close() }()
			info, err := f.Stat()
			if err != nil {
				b.Fatal(err)
			}
			db, err := bolt.Open(f, info.Size())
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(db.Meta().HighWater) * db.Meta().PageSize)
			b.ReportAllocs()
			run(b, f, db)
		})
	}
}

// BenchmarkRead reads the file and does nothing with it: nothing that reads it all is faster.
func BenchmarkRead(b *testing.B) {
	eachSize(b, func(b *testing.B, f *os.File, db *bolt.DB) {
		buf := make([]byte, 128<<10)
		for b.Loop() {
			r := io.NewSectionReader(f, 0, int64(db.Meta().HighWater)*db.Meta().PageSize)
			if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, buf); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkLeaves(b *testing.B) {
	eachSize(b, func(b *testing.B, _ *os.File, db *bolt.DB) {
		for b.Loop() {
			bucket, err := db.Bucket("key")
			if err != nil {
				b.Fatal(err)
			}
			for _, err := range bucket.Leaves(nil) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	eachSize(b, func(b *testing.B, _ *os.File, db *bolt.DB) {
		for b.Loop() {
			r, err := db.Check(context.Background(), bolt.CheckOptions{})
			if err != nil || r.Damaged() {
				b.Fatal(err, r.Findings)
			}
		}
	})
}

func BenchmarkScan(b *testing.B) {
	eachSize(b, func(b *testing.B, _ *os.File, db *bolt.DB) {
		for b.Loop() {
			for _, err := range db.Scan(context.Background()) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

func BenchmarkCopy(b *testing.B) {
	eachSize(b, func(b *testing.B, f *os.File, db *bolt.DB) {
		dst, err := os.CreateTemp(b.TempDir(), "")
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = dst.Close() }()
		size := func() (int64, error) { return db.Size(), nil }
		for b.Loop() {
			if _, err := bolt.Copy(context.Background(), f, size, dst, bolt.CopyOptions{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
