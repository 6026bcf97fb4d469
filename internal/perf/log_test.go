package perf

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"

	etcdwal "go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.uber.org/zap"

	"github.com/raftctl/raftctl/wal"
)

var valueSizes = []struct {
	name string
	size int
}{{"1KiB", 1 << 10}, {"128B", 128}}

// eachLog runs a benchmark on the log of every value size.
func eachLog(b *testing.B, bench func(b *testing.B, l bigLog)) {
	for _, v := range valueSizes {
		b.Run("value="+v.name, func(b *testing.B) { bench(b, newBigLog(b, v.size)) })
	}
}

// BenchmarkVerify checks a whole log, beside etcd's two ways of reading one and beside a plain
// checksum over the same bytes.
func BenchmarkVerify(b *testing.B) {
	eachLog(b, func(b *testing.B, l bigLog) {
		run := func(name string, once func()) {
			b.Run("impl="+name, func(b *testing.B) {
				debug.FreeOSMemory() // the one before may have left gigabytes to be collected
				l.warm(b)
				b.SetBytes(l.size)
				for b.Loop() {
					once()
				}
			})
		}
		run("ours", func() { verify(b, l) })
		run("crc-read", func() { crcRead(b, l.files) })
		run("crc-mapped", func() { crcMapped(b, l.files) })
		run("etcd-verify", func() { etcdVerify(b, l) })
		run("etcd-readall", func() { etcdReadAll(b, l) })
	})
}

// BenchmarkVerifyProcess is the command as an operator runs it, with the memory that it takes.
func BenchmarkVerifyProcess(b *testing.B) {
	eachLog(b, func(b *testing.B, l bigLog) {
		benchProcess(b, l, built(b, "raftctl"), "wal", "verify", l.dir)
	})
}

// BenchmarkDump prints every entry, beside etcd's own dump tool, which always prints values in full.
func BenchmarkDump(b *testing.B) {
	eachLog(b, func(b *testing.B, l bigLog) {
		for _, values := range []string{"short", "full"} {
			b.Run(fmt.Sprintf("values=%s/impl=ours", values), func(b *testing.B) {
				benchProcess(b, l, built(b, "raftctl"), "wal", "dump", l.dir,
					"--kind", "entry", "-o", "jsonl", "--values", values)
			})
			b.Run(fmt.Sprintf("values=%s/impl=etcd-dump-logs", values), func(b *testing.B) {
				benchProcess(b, l, built(b, "bin/etcd-dump-logs"), "-start-index", "0", l.dir)
			})
		}
		b.Run("table", func(b *testing.B) {
			benchProcess(b, l, built(b, "raftctl"), "wal", "dump", l.dir)
		})
	})
}

func verify(b *testing.B, l bigLog) {
	log, err := wal.Open(os.DirFS(l.dir), ".")
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	report, err := log.Verify(b.Context(), wal.VerifyOptions{})
	if err != nil {
		b.Fatal(err)
	}
	if report.Verdict != wal.VerdictOK {
		b.Fatal(report.Verdict)
	}
}

func etcdVerify(b *testing.B, l bigLog) {
	if _, err := etcdwal.Verify(zap.NewNop(), filepath.Join(l.dir, "member", "wal"), start()); err != nil {
		b.Fatal(err)
	}
}

func etcdReadAll(b *testing.B, l bigLog) {
	w, err := etcdwal.OpenForRead(zap.NewNop(), filepath.Join(l.dir, "member", "wal"), start())
	if err != nil {
		b.Fatal(err)
	}
	if _, _, _, err := w.ReadAll(); err != nil {
		b.Fatal(err)
	}
	_ = w.Close() // a log opened for reading has no folder to close, which Close reports
}

// start is the snapshot at index 0, from which a whole log is read.
func start() *walpb.Snapshot {
	zero := uint64(0)
	return &walpb.Snapshot{Index: &zero, Term: &zero}
}
