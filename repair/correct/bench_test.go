package correct_test

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/correct"
	"github.com/raftctl/raftctl/wal"
)

// BenchmarkFind names the bit that is flipped in a record of a size, the last but one of a segment of 64
// MB. Beside it is a checksum over the same segment, which is what reading up to the damage costs.
func BenchmarkFind(b *testing.B) {
	for _, size := range []int{1 << 10, 1 << 20} {
		log := &builder{}
		log.cut()
		log.add(wal.KindSnapshot, new(wal.Snapshot).AppendTo(nil, raftpb.FlavorGogo))
		for len(log.segs[0]) < wal.SegmentSize-size {
			log.entry(raftpb.EntryNormal, 2, bytes.Repeat([]byte{'v'}, size))
		}
		at := len(log.segs[0]) - size/2
		log.entry(raftpb.EntryNormal, 2, []byte("the last"))
		f := log.files(0, 4096)
		segment := f[log.names[0]]
		b.Run(fmt.Sprintf("record=%d/impl=ours", size), func(b *testing.B) {
			segment[at] ^= 4
			defer func() { segment[at] ^= 4 }()
			b.SetBytes(int64(len(segment)))
			b.ReportAllocs()
			benchFind(b, f, int64(at))
		})
		b.Run(fmt.Sprintf("record=%d/impl=crc", size), func(b *testing.B) {
			b.SetBytes(int64(len(segment)))
			table := crc32.MakeTable(crc32.Castagnoli)
			for b.Loop() {
				crc32.Checksum(segment, table)
			}
		})
	}
}

func benchFind(b *testing.B, f files, at int64) {
	log, err := wal.Open(f.fs(), "wal")
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	r, err := log.Verify(b.Context(), wal.VerifyOptions{})
	if err != nil || len(r.Findings) == 0 {
		b.Fatal(err, r)
	}
	for b.Loop() {
		c, err := correct.Find(b.Context(), log, &r.Findings[0])
		if err != nil || c.Pos.Off != at || c.Bits != 1 {
			b.Fatal(err, c)
		}
	}
}
