package wal

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

// evenLog returns a log of one segment with n entries of a size, a hard state after each.
func evenLog(n, size int) map[string][]byte {
	b := newLogBuilder(raftpb.FlavorGogo)
	data := bytes.Repeat([]byte("v"), size)
	for range n {
		b.entry(2, data)
		b.state(2, b.index)
	}
	return b.files(4096)
}

// TestVerifyAllocations verifies a log and one ten times as long: what is allocated must not depend
// on the number of records.
func TestVerifyAllocations(t *testing.T) {
	allocs := func(n int) float64 {
		l, err := Open(mapFS(evenLog(n, 100)), "wal")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return testing.AllocsPerRun(5, func() {
			if r, err := l.Verify(t.Context(), VerifyOptions{}); err != nil || r.Verdict != VerdictOK {
				t.Fatal(err, r)
			}
		})
	}
	const slack = 5 // the runtime's own
	if few, many := allocs(1000), allocs(10000); many > few+slack {
		t.Errorf("%v allocations for 1000 entries, %v for 10000", few, many)
	}
}

// BenchmarkVerifyMemory verifies a log that is in memory already. Beside it is the least that any
// check must do: the checksum of the same bytes. Real files of a GiB are in internal/perf.
func BenchmarkVerifyMemory(b *testing.B) {
	for _, size := range []int{128, 1 << 10} {
		const bytes = 32 << 20
		log := evenLog(bytes/(size+80), size)
		n := int64(len(log[segmentOf(log, 0)]))
		b.Run(fmt.Sprintf("value=%d/impl=ours", size), func(b *testing.B) {
			l, err := Open(mapFS(log), "wal")
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			b.SetBytes(n)
			b.ReportAllocs()
			for b.Loop() {
				if r, err := l.Verify(b.Context(), VerifyOptions{}); err != nil || r.Verdict != VerdictOK {
					b.Fatal(err, r)
				}
			}
		})
		b.Run(fmt.Sprintf("value=%d/impl=crc", size), func(b *testing.B) {
			data := log[segmentOf(log, 0)]
			b.SetBytes(n)
			for b.Loop() {
				updateCRC(0, data)
			}
		})
	}
}
