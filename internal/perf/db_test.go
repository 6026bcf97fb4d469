package perf

import (
	"crypto/sha256"
	"errors"
	"golang.org/x/sys/unix"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// eachDB runs a benchmark on the database of every value size.
func eachDB(b *testing.B, bench func(b *testing.B, db bigLog)) {
	for _, v := range valueSizes {
		b.Run("value="+v.name, func(b *testing.B) { bench(b, newBigDB(b, v.size)) })
	}
}

// BenchmarkSnapshotStatus is the command beside etcd's, with the memory that each takes.
func BenchmarkSnapshotStatus(b *testing.B) {
	eachDB(b, func(b *testing.B, db bigLog) {
		b.Run("impl=ours", func(b *testing.B) {
			benchProcess(b, db, built(b, "raftctl"), "snapshot", "status", db.dir)
		})
		b.Run("impl=etcdutl", func(b *testing.B) {
			benchProcess(b, db, built(b, "etcd-3.7/etcdutl"), "snapshot", "status", db.dir)
		})
	})
}

// BenchmarkSnapshotVerify is the command beside reading the file, which is all that a copy would cost.
func BenchmarkSnapshotVerify(b *testing.B) {
	eachDB(b, func(b *testing.B, db bigLog) {
		b.Run("impl=ours", func(b *testing.B) {
			benchProcess(b, db, built(b, "raftctl"), "snapshot", "verify", db.dir)
		})
		b.Run("impl=read", func(b *testing.B) {
			db.warm(b)
			b.SetBytes(db.size)
			for b.Loop() {
				readAll(b, db.dir)
			}
		})
	})
}

// readAll reads a file in pieces of 128 KiB.
func readAll(b *testing.B, path string) {
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	buf := make([]byte, 128<<10)
	for {
		if _, err := f.Read(buf); err == io.EOF {
			return
		} else if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSnapshotDump prints all keys in their order.
func BenchmarkSnapshotDump(b *testing.B) {
	eachDB(b, func(b *testing.B, db bigLog) {
		for _, values := range []string{"short", "full"} {
			b.Run("values="+values, func(b *testing.B) {
				benchProcess(b, db, built(b, "raftctl"), "snapshot", "dump", db.dir, "-o", "jsonl", "--values", values)
			})
		}
	})
}

// BenchmarkSnapshotDiff compares two databases of which one key in a hundred differs.
func BenchmarkSnapshotDiff(b *testing.B) {
	for _, v := range valueSizes {
		b.Run("value="+v.name, func(b *testing.B) {
			db, changed := newBigDB(b, v.size), newBigDBAt(b, v.size, 10)
			changed.warm(b)
			both := bigLog{files: db.files, size: db.size + changed.size}
			benchProcess(b, both, built(b, "raftctl"), "snapshot", "diff", db.dir, changed.dir, "-o", "jsonl")
		})
	}
}

// BenchmarkSnapshotSave saves a database from its file, plain and compressed.
func BenchmarkSnapshotSave(b *testing.B) {
	db := newBigDB(b, 1<<10)
	for _, compress := range []string{"none", "zstd", "s2"} {
		b.Run("compress="+compress, func(b *testing.B) {
			out := filepath.Join(b.TempDir(), "saved.db")
			benchProcess(b, db, built(b, "raftctl"), "snapshot", "save", db.dir, out, "--overwrite", "--compress", compress)
			info, err := os.Stat(out)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(info.Size())/float64(db.size), "size-ratio")
		})
	}
}

// BenchmarkSnapshotRestore makes a data directory from a saved database, beside etcd's tool, with the memory
// that each takes; and those of three members.
func BenchmarkSnapshotRestore(b *testing.B) {
	db := newSavedDB(b)
	dir := filepath.Join(b.TempDir(), "restored")
	clear := func() {
		if err := os.RemoveAll(dir); err != nil {
			b.Fatal(err)
		}
		unix.Sync() // the disk may still be busy with what the run before has written
	}
	restore := []string{"snapshot", "restore", db.dir}
	b.Run("impl=ours", func(b *testing.B) {
		benchProcessAfter(b, db, clear, built(b, "raftctl"), append(restore, "--data-dir", dir)...)
	})
	b.Run("impl=etcdutl", func(b *testing.B) {
		benchProcessAfter(b, db, clear, built(b, "etcd-3.7/etcdutl"), append(restore, "--data-dir", dir)...)
	})
	b.Run("members=3", func(b *testing.B) {
		benchProcessAfter(b, db, clear, built(b, "raftctl"), append(restore, "--all", dir,
			"--initial-cluster", "m1=http://h:1,m2=http://h:2,m3=http://h:3")...)
	})
}

// newSavedDB returns the database as snapshot save leaves it, with its sha256 behind it. It is made once.
func newSavedDB(b *testing.B) bigLog {
	b.Helper()
	db := newBigDB(b, 1<<10)
	path := db.dir + ".saved"
	if _, err := os.Stat(path); err != nil {
		saveDB(b, db.dir, path)
	}
	return bigLog{dir: path, files: []string{path}, size: db.size + sha256.Size}
}

func saveDB(b *testing.B, from, to string) {
	b.Helper()
	in, err := os.Open(from)
	if err != nil {
		b.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to + ".part")
	if err != nil {
		b.Fatal(err)
	}
	sum := sha256.New()
	if _, err = io.Copy(out, io.TeeReader(in, sum)); err == nil {
		_, err = out.Write(sum.Sum(nil))
	}
	if err = errors.Join(err, out.Close()); err == nil {
		err = os.Rename(out.Name(), to)
	}
	if err != nil {
		b.Fatal(err)
	}
}
