package wal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"testing/fstest"
)

// mapFS makes a file system of a wal directory in memory.
func (fs files) mapFS() fs.FS {
	m := fstest.MapFS{}
	for name, b := range fs {
		m[name] = &fstest.MapFile{Data: b, Mode: 0o600}
	}
	return m
}

func verifyFiles(tb testing.TB, fs files) *Report {
	tb.Helper()
	l, err := Open(fs.mapFS(), ".")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	r, err := l.Verify(tb.Context(), VerifyOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// mutation is one way to damage a log. It returns what it did, or "" if that is not possible here.
type mutation func(rng *rand.Rand, fs files) string

func pick(rng *rand.Rand, fs files) string {
	names := fs.names()
	return names[rng.IntN(len(names))]
}

// frameOffsets returns where the frames of a segment begin, and the offset behind the last one.
func frameOffsets(b []byte) (offs []int) {
	off := 0
	for off+frameHeaderSize <= len(b) {
		h := binary.LittleEndian.Uint64(b[off:])
		if h == 0 {
			break
		}
		offs = append(offs, off)
		size, pad := parseFrameHeader(h)
		off += frameHeaderSize + int(size) + pad
	}
	return append(offs, off)
}

var mutations = map[string]mutation{
	"flip a bit": func(rng *rand.Rand, fs files) string {
		name := pick(rng, fs)
		offs := frameOffsets(fs[name])
		off, bit := rng.IntN(offs[len(offs)-1]), rng.IntN(8)
		fs[name][off] ^= 1 << bit
		return fmt.Sprintf("%s offset %d bit %d", name, off, bit)
	},
	"change the head of a frame": func(rng *rand.Rand, fs files) string {
		name := pick(rng, fs)
		offs := frameOffsets(fs[name])
		off := offs[rng.IntN(len(offs)-1)] + rng.IntN(20)
		if off >= len(fs[name]) {
			return ""
		}
		fs[name][off] = byte(rng.IntN(256))
		return fmt.Sprintf("%s offset %d: %02x", name, off, fs[name][off])
	},
	"change a type": func(rng *rand.Rand, fs files) string {
		name := pick(rng, fs)
		offs := frameOffsets(fs[name])
		off := offs[rng.IntN(len(offs)-1)] + frameHeaderSize + 1
		fs[name][off] = byte(rng.IntN(7))
		return fmt.Sprintf("%s offset %d: type %d", name, off, fs[name][off])
	},
	"zero a header": func(rng *rand.Rand, fs files) string {
		name := pick(rng, fs)
		offs := frameOffsets(fs[name])
		off := offs[rng.IntN(len(offs)-1)]
		clear(fs[name][off:][:frameHeaderSize])
		return fmt.Sprintf("%s offset %d", name, off)
	},
	"zero sectors": func(rng *rand.Rand, fs files) string {
		name := pick(rng, fs)
		b := fs[name]
		lo := rng.IntN(len(b)) / sectorSize * sectorSize
		hi := min(lo+sectorSize*(1+rng.IntN(3)), len(b))
		clear(b[lo:hi])
		return fmt.Sprintf("%s [%d,%d)", name, lo, hi)
	},
	"cut": func(rng *rand.Rand, fs files) string {
		name := pick(rng, fs)
		off := rng.IntN(len(fs[name]))
		fs[name] = fs[name][:off]
		return fmt.Sprintf("%s at %d", name, off)
	},
	"cut the end": func(rng *rand.Rand, fs files) string {
		names := fs.names()
		name := names[len(names)-1]
		offs := frameOffsets(fs[name])
		off := 1 + rng.IntN(offs[len(offs)-1])
		fs[name] = fs[name][:off]
		return fmt.Sprintf("%s at %d", name, off)
	},
	"zero the end": func(rng *rand.Rand, fs files) string {
		names := fs.names()
		name := names[len(names)-1]
		off := rng.IntN(len(fs[name]))
		clear(fs[name][off:])
		return fmt.Sprintf("%s from %d", name, off)
	},
	"write behind the end": func(rng *rand.Rand, fs files) string {
		names := fs.names()
		name := names[len(names)-1]
		offs := frameOffsets(fs[name])
		if end := offs[len(offs)-1]; end < len(fs[name]) {
			off := end + rng.IntN(len(fs[name])-end)
			fs[name][off] = byte(1 + rng.IntN(255))
			return fmt.Sprintf("%s offset %d", name, off)
		}
		return ""
	},
	"delete a segment": func(rng *rand.Rand, fs files) string {
		name := pick(rng, fs)
		if len(fs) < 2 {
			return ""
		}
		delete(fs, name)
		return name
	},
	"swap two segments": func(rng *rand.Rand, fs files) string {
		a, b := pick(rng, fs), pick(rng, fs)
		fs[a], fs[b] = fs[b], fs[a]
		return a + " " + b
	},
	"repeat a segment": func(rng *rand.Rand, fs files) string {
		names := fs.names()
		n, _ := ParseSegmentName(names[len(names)-1])
		from := pick(rng, fs)
		n.Seq++
		fs[n.String()] = slices.Clone(fs[from])
		return from + " as " + n.String()
	},
	"drop a record": func(rng *rand.Rand, fs files) string {
		name := pick(rng, fs)
		offs := frameOffsets(fs[name])
		i := rng.IntN(len(offs) - 1)
		fs[name] = slices.Delete(fs[name], offs[i], offs[i+1])
		return fmt.Sprintf("%s [%d,%d)", name, offs[i], offs[i+1])
	},
	"move bytes": func(rng *rand.Rand, fs files) string {
		name := pick(rng, fs)
		off := rng.IntN(len(fs[name])) &^ 7
		fs[name] = slices.Insert(fs[name], off, make([]byte, 8)...)
		return fmt.Sprintf("%s: 8 bytes at %d", name, off)
	},
}

// isPrefix reports whether log b is what log a was at an earlier time: the same segments, the last of
// them up to the end of some record, and then nothing or zeros. No reader can tell that records were
// taken away there.
func isPrefix(a, b files) bool {
	names := b.names()
	for i, name := range names {
		was, ok := a[name]
		if !ok || i != slices.Index(a.names(), name) {
			return false
		}
		if i < len(names)-1 {
			if !bytes.Equal(was, b[name]) {
				return false
			}
			continue
		}
		offs := frameOffsets(b[name])
		end := offs[len(offs)-1]
		if len(offs) < 2 || end > len(was) || !bytes.Equal(was[:end], b[name][:end]) ||
			!allZero(b[name][end:]) {
			return false
		}
	}
	return true
}

// isSuffix reports whether log b is log a without its first segments, as purging leaves it.
func isSuffix(a, b files) bool {
	names := a.names()
	rest := names[len(names)-len(b):]
	return !slices.ContainsFunc(rest, func(n string) bool { return !bytes.Equal(a[n], b[n]) })
}

// TestVerifyAgainstEtcd damages logs that etcd's own package wrote, in every way that the table has,
// and has etcd's own package start on them. Verify must foretell what it does, to the word, and call
// no damaged log healthy.
func TestVerifyAgainstEtcd(t *testing.T) {
	const segmentSize, perKind = 2048, 18
	logs := uint64(12)
	if text := os.Getenv("RAFTCTL_LOGS"); text != "" {
		if _, err := fmt.Sscan(text, &logs); err != nil {
			t.Fatal(err)
		}
	}
	etcdSegmentSize(t, segmentSize)
	for kind, mutate := range mutations {
		t.Run(kind, func(t *testing.T) {
			dir := t.TempDir()
			for seed := range logs {
				rng := rand.New(rand.NewPCG(seed, uint64(len(kind))))
				was := etcdWrites(t, rng, raftHistory(rng, 5+rng.IntN(60)))
				for range perKind {
					fs := was.clone()
					what := mutate(rng, fs)
					if what == "" {
						continue
					}
					if msg := checkMutated(t, dir, was, fs); msg != "" {
						t.Errorf("log %d: %s: %s", seed, what, msg)
					}
				}
			}
		})
	}
}

// compareStart has etcd start on a log, and tells how that differs from the outlook.
func compareStart(t *testing.T, dir string, fs files) string {
	t.Helper()
	empty := func(name string) bool { return len(fs[name]) == 0 }
	if len(fs) < 2 && !slices.ContainsFunc(fs.names(), func(n string) bool { return !empty(n) }) {
		return "" // no log at all
	}
	r, got := startBoth(t, dir, fs)
	return compareOutlook(r.Outlook("3.7"), got)
}

func startBoth(t *testing.T, dir string, fs files) (*Report, etcdResult) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	fs.write(t, dir)
	return verifyFiles(t, fs), etcdBoots(t, dir)
}

// checkMutated tells what is wrong with the verdict on log fs, which was a healthy log once.
func checkMutated(t *testing.T, dir string, was, fs files) string {
	t.Helper()
	r, got := startBoth(t, dir, fs)
	if msg := compareOutlook(r.Outlook("3.7"), got); msg != "" {
		return msg
	}
	if r.Verdict == VerdictProblem {
		return ""
	}
	if r.Verdict == VerdictOK && len(was) > 0 && (isPrefix(was, fs) || isSuffix(was, fs)) {
		return ""
	}
	return fmt.Sprintf("verdict %s, findings %+v", r.Verdict, r.Findings)
}
