package wal

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

// BenchmarkScan reads a segment record by record, beside a plain checksum over the same bytes in
// reads of 128 KiB.
func BenchmarkScan(b *testing.B) {
	for _, size := range []int{128, 1024, 16 << 10} {
		segment := benchSegment(size)
		b.Run(fmt.Sprintf("value=%d/impl=crc", size), func(b *testing.B) {
			b.SetBytes(int64(len(segment)))
			for b.Loop() {
				plainCRC(segment)
			}
		})
		b.Run(fmt.Sprintf("value=%d/impl=scan", size), func(b *testing.B) {
			b.SetBytes(int64(len(segment)))
			b.ReportAllocs()
			for b.Loop() {
				scanBytes(b, segment)
			}
		})
	}
}

// benchSegment returns a segment of about 64 MB, of entries with values of that size.
func benchSegment(size int) []byte {
	lb := newLogBuilder(raftpb.FlavorGogo)
	value := bytes.Repeat([]byte{'v'}, size)
	const batch = 10
	for n := 0; len(lb.tail().b) < SegmentSize; n++ {
		lb.entry(2, value)
		if n%batch == 0 {
			lb.state(2, lb.index)
		}
	}
	return lb.tail().b
}

func plainCRC(segment []byte) uint32 {
	buf := make([]byte, 128<<10)
	sum := uint32(0)
	for r := bytes.NewReader(segment); ; {
		n, err := r.Read(buf)
		if err == io.EOF {
			return sum
		}
		sum = crc32.Update(sum, castagnoli, buf[:n])
	}
}

func scanBytes(tb testing.TB, segment []byte) {
	s := newScanner(memFile{bytes.NewReader(segment)}, scanOptions{
		name: "x.wal", size: int64(len(segment)), seeded: true,
	})
	for {
		r, err := s.next()
		if err != nil {
			tb.Fatal(err)
		}
		if r == nil {
			break
		}
		if r.Kind == KindDamage {
			tb.Fatal(r.Damage)
		}
	}
	if s.off != int64(len(segment)) {
		tb.Fatalf("read up to %d of %d bytes", s.off, len(segment))
	}
}
