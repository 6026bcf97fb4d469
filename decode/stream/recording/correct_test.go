package recording

import (
	"bytes"
	"context"
	"testing"
	"testing/fstest"

	"github.com/raftctl/raftctl/repair/correct"
	"github.com/raftctl/raftctl/wal"
)

// What repairs logs tells of a recording, too, which bit was flipped, wherever that is in an event that others follow.
func TestCorrect(t *testing.T) {
	b, ends := small(t)
	name := Dialect.FileName(wal.SegmentName{})
	for off := ends[0]; off < ends[len(ends)-2]; off += 5 {
		damaged := bytes.Clone(b)
		damaged[off] ^= 1 << (off % 8)
		log, err := Dialect.Open(fstest.MapFS{name: {Data: damaged, Mode: 0o600}}, name)
		check(t, err)
		report, err := log.Verify(context.Background(), wal.VerifyOptions{})
		check(t, err)
		if len(report.Findings) == 0 {
			t.Fatalf("offset %d: no findings", off)
		}
		c, err := correct.Find(context.Background(), log, &report.Findings[0])
		if err != nil {
			t.Errorf("offset %d: %v: %v", off, &report.Findings[0], err)
			continue
		}
		copy(damaged[c.Pos.Off:], c.New)
		if !bytes.Equal(damaged, b) {
			t.Errorf("offset %d: %x at %v was %x, and is not as before", off, c.Old, c.Pos, c.New)
		}
		check(t, log.Close())
	}
}
