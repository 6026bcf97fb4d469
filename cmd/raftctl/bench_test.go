package main

import (
	"cmp"
	"io"
	"os"
	"testing"

	"github.com/raftctl/raftctl/internal/corpus"
)

// benchLog returns the log to dump: that of a member that was written to for a while, or the one
// that RAFTCTL_BENCH_LOG names.
func benchLog(b *testing.B) string {
	return cmp.Or(os.Getenv("RAFTCTL_BENCH_LOG"), corpus.Dir(b, "c36-3m-kill9")+"/m1")
}

func BenchmarkDump(b *testing.B) {
	path := benchLog(b)
	for name, args := range map[string][]string{
		"jsonl":      {"-o", "jsonl"},
		"jsonl-full": {"-o", "jsonl", "--values", "full"},
		"table":      {},
		"where":      {"-o", "jsonl", "--where", `op == "put" && size > 100000`},
		"key":        {"--key", "nothing/begins/with/this"},
		"index":      {"--index", "10..20"},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			a := testApp(io.Discard, io.Discard)
			for b.Loop() {
				run(b.Context(), a, append([]string{"wal", "dump", path}, args...))
			}
		})
	}
}
