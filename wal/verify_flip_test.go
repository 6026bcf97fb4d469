package wal

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/raftpb"
)

// smallLog returns a log of a real etcd with its last segment cut to what is written and a little of
// the space ahead.
func smallLog(tb testing.TB, name string) files {
	tb.Helper()
	fs := readSegments(tb, filepath.Join(corpus.Dir(tb, name), "member", "wal"))
	names := fs.names()
	last := names[len(names)-1]
	offs := frameOffsets(fs[last])
	const ahead = 1024
	fs[last] = slices.Clone(fs[last][:offs[len(offs)-1]+ahead])
	return fs
}

// TestVerifyEveryFlip flips every bit of a real log, one at a time. None may go unnoticed: what the
// checksums don't cover must be told by other evidence.
func TestVerifyEveryFlip(t *testing.T) {
	was := smallLog(t, "c36-leasecp-1n-clean")
	if r := verifyFiles(t, was); r.Verdict != VerdictOK {
		t.Fatalf("before: %+v", r.Findings)
	}
	for name, b := range was {
		offs := frameOffsets(b)
		end := offs[len(offs)-1]
		for off := range b {
			for bit := range 8 {
				b[off] ^= 1 << bit
				r := verifyFiles(t, was)
				b[off] ^= 1 << bit
				if r.Verdict != VerdictProblem {
					t.Errorf("%s offset %d bit %d: verdict %s, %+v", name, off, bit, r.Verdict, r.Findings)
				} else if !foundNear(r, int64(min(off, end))) {
					t.Errorf("%s offset %d bit %d: found at %+v", name, off, bit, r.Findings)
				}
			}
		}
	}
}

// foundNear reports whether some finding names the frame that holds off, or the next one: where a
// stored checksum is right and all before it is intact, only what follows tells.
func foundNear(r *Report, off int64) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool {
		const nearest = 600 // the largest frame of the log and its neighbour
		return f.Severity == SeverityError && f.Pos.Off <= off+nearest && off <= f.Pos.Off+nearest
	})
}

// TestVerifyFlipsAgainstEtcd flips a bit of every byte of logs of real etcds, has etcd start on them,
// and compares what it does with what was foretold.
func TestVerifyFlipsAgainstEtcd(t *testing.T) {
	etcdSegmentSize(t, 4096)
	for _, name := range []string{"c36-leasecp-1n-clean", "c36-restored-from34"} {
		was := smallLog(t, name)
		dir := t.TempDir()
		for file, b := range was {
			for off := range b {
				b[off] ^= 1 << (off % 8)
				if msg := checkMutated(t, dir, files{}, was); msg != "" {
					t.Errorf("%s %s offset %d: %s", name, file, off, msg)
				}
				b[off] ^= 1 << (off % 8)
			}
		}
	}
}

// FuzzVerifyAgainstEtcd is TestVerifyAgainstEtcd without end: the inputs choose the log and what
// happens to it, twice.
func FuzzVerifyAgainstEtcd(f *testing.F) {
	kinds := make([]string, 0, len(mutations))
	for kind := range mutations {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	for i := range kinds {
		f.Add(uint64(i), uint8(i), uint8(255))
		f.Add(uint64(i), uint8(i), uint8(i+3))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, seed uint64, first, second uint8) {
		etcdSegmentSize(t, 2048)
		rng := rand.New(rand.NewPCG(seed, 7))
		was := etcdWrites(t, rng, raftHistory(rng, 5+rng.IntN(60)))
		fs := was.clone()
		what := ""
		for _, k := range []uint8{first, second} {
			if int(k) < 2*len(kinds) {
				what += fmt.Sprintf(" %s", mutations[kinds[int(k)%len(kinds)]](rng, fs))
			}
		}
		sub := filepath.Join(dir, fmt.Sprint(os.Getpid()))
		if msg := compareStart(t, sub, fs); msg != "" {
			t.Errorf("%s: %s", what, msg)
		}
	})
}

// FuzzVerifyBytes starts etcd on a segment of any bytes: it does what was foretold, and where the
// verdict is ok it reads the entries that are live.
func FuzzVerifyBytes(f *testing.F) {
	for _, flavor := range []raftpb.Flavor{raftpb.FlavorGogo, raftpb.FlavorPbgo} {
		log := files(buildLog(flavor, 1).files(64))
		f.Add(log[log.names()[0]])
	}
	f.Add(make([]byte, 64))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 {
			return
		}
		etcdSegmentSize(t, 4096)
		sub := filepath.Join(dir, fmt.Sprint(os.Getpid()))
		r, got := startBoth(t, sub, files{SegmentName{}.String(): b})
		if msg := compareOutlook(r.Outlook("3.7"), got); msg != "" {
			t.Error(msg)
		}
		member := r.View == nil || r.View.Metadata.NodeID != 0 // else not etcd's own log
		reads := r.Outlook("3.7").Action == ActionBoots && r.Outlook("3.7").Last.Index == r.View.LastIndex()
		if r.Verdict == VerdictOK && member && !reads {
			t.Errorf("ok, but %v; last index %d", r.Outlook("3.7"), r.View.LastIndex())
		}
	})
}
