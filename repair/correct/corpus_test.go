package correct_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/wal"
)

// corpusLog returns the log of a real etcd, its last segment without most of the space ahead, and its
// records by kind, without their data.
func corpusLog(tb testing.TB, dir string) (files, map[wal.Kind][]wal.Record) {
	tb.Helper()
	log, err := wal.Open(os.DirFS(dir), ".")
	if err != nil {
		tb.Fatal(err)
	}
	defer log.Close()
	f := files{}
	for _, seg := range log.Segments() {
		if f[seg.File], err = os.ReadFile(filepath.Join(dir, log.Dir(), seg.File)); err != nil {
			tb.Fatal(err)
		}
	}
	kinds, end := map[wal.Kind][]wal.Record{}, int64(0)
	for r, err := range log.Records(wal.Inspect) {
		if err != nil || r.Kind == wal.KindDamage {
			tb.Fatal(err, r)
		}
		rec := *r
		rec.Data = nil
		kinds[r.Kind] = append(kinds[r.Kind], rec)
		end = r.Pos.Off + r.Len
	}
	names := f.names()
	last := names[len(names)-1]
	const ahead = 1024
	f[last] = slices.Clone(f[last][:min(int64(len(f[last])), end+ahead)])
	return f, kinds
}

// TestCorpusBits flips bits of the logs of real etcds, in records of every kind and in every part of a
// frame, and in the space ahead. Each is put right.
func TestCorpusBits(t *testing.T) {
	for _, log := range corpus.Logs(t) {
		t.Run(log.Name, func(t *testing.T) {
			t.Parallel()
			was, kinds := corpusLog(t, log.Dir)
			rng := rand.New(rand.NewPCG(uint64(len(log.Name)), 5))
			for kind, all := range kinds {
				if len(all) == 0 {
					t.Errorf("no %v record", kind)
				}
				for _, r := range []wal.Record{all[0], all[rng.IntN(len(all))], all[len(all)-1]} {
					places := []int64{0, 7, 9, 11, 8 + rng.Int64N(12), r.Len - 9, r.Len - 1, rng.Int64N(r.Len)}
					for range 2 {
						off := r.Pos.Off + places[rng.IntN(len(places))]
						flipOne(t, was, r.Pos.Segment, off, rng.IntN(8))
					}
				}
			}
			names := was.names()
			last := names[len(names)-1]
			for range 2 {
				flipOne(t, was, last, int64(len(was[last]))-1-rng.Int64N(512), rng.IntN(8))
			}
		})
	}
}

func flipOne(t *testing.T, was files, name string, off int64, bit int) {
	t.Helper()
	f := was.clone()
	f[name][off] ^= 1 << bit
	done, refused := mend(t, f, was)
	if !f.equal(was) || len(done) != 1 || done[0].Bits != 1 {
		t.Errorf("%s offset %d bit %d: %v, %v", name, off, bit, howOf(done), refused)
	}
}
