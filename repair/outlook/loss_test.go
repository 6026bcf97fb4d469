package outlook

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// What a start costs, by how a log of 400 entries, each written and synced, was damaged.
func TestLoss(t *testing.T) {
	type want struct {
		Lost             []wal.IndexRange
		Committed        uint64
		Intact           bool
		Cuts, Short, Run bool
	}
	const (
		sector   = 512
		lengthAt = 5128 // of a record of 24 bytes: the hard state behind entry 106, which crosses a sector
	)
	for name, tc := range map[string]struct {
		damage func(t *testing.T, segment string)
		want   want
	}{
		"none": {func(*testing.T, string) {}, want{Run: true}},
		"sectors zeroed at the end": {func(t *testing.T, name string) {
			zero(t, name, 10*sector, 100*sector)
		}, want{Cuts: true, Run: true}},
		"sector zeroed in the middle": {func(t *testing.T, name string) {
			zero(t, name, 10*sector, sector)
		}, want{Lost: []wal.IndexRange{{First: 117, Last: 400}}, Committed: 283, Run: true}},
		"cut short in a record": {func(t *testing.T, name string) {
			if err := os.Truncate(name, 25*sector+12); err != nil {
				t.Fatal(err)
			}
		}, want{Cuts: true, Short: true, Run: true}},
		// Beyond the file, as etcd reads it: it takes that for a torn end.
		"length flipped in the middle": {func(t *testing.T, name string) {
			flipByte(t, name, lengthAt+4)
		}, want{
			Lost: []wal.IndexRange{{First: 107, Last: 400}}, Committed: 293, Intact: true, Run: true,
		}},
		"data flipped in the middle": {func(t *testing.T, name string) {
			flipByte(t, name, lengthAt+23)
		}, want{}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "wal")
			tc.damage(t, filepath.Join(dir, writeEntries(t, dir, 400)))
			r := examine(t, dir)
			got := want{Cuts: r.Cuts() != nil, Short: r.CutShort(), Run: r.Runs()}
			if l := r.Loss(); l != nil {
				got.Lost, got.Committed, got.Intact = l.Lost, l.Commits, l.Intact
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// writeEntries writes a log of n empty entries, of which all but the last are committed, and returns the name
// of its segment.
func writeEntries(t *testing.T, dir string, n uint64) (segment string) {
	t.Helper()
	w, err := wal.Create(vfs.OS, dir, wal.CreateOptions{Metadata: wal.Metadata{NodeID: 1, ClusterID: 2}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		e := raftpb.Entry{Term: 1, Index: i + 1}
		if err := w.Append(raftpb.HardState{Term: 1, Commit: i}, []raftpb.Entry{e}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return wal.SegmentName{}.String()
}

func zero(t *testing.T, name string, off int64, n int) {
	t.Helper()
	rewrite(t, name, func(b []byte) { clear(b[off : off+int64(n)]) })
}

func flipByte(t *testing.T, name string, off int64) {
	t.Helper()
	rewrite(t, name, func(b []byte) { b[off] ^= 1 })
}

func rewrite(t *testing.T, name string, damage func([]byte)) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	damage(b)
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
