package wal

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/raftpb"
)

// realSegment returns the first n frames of a segment that a real etcd wrote.
func realSegment(t *testing.T, log string, n int) *logBuilder {
	t.Helper()
	name := SegmentName{}
	b, err := os.ReadFile(filepath.Join(corpus.Dir(t, log), "member", "wal", name.String()))
	check(t, err)
	s := &bytesOf{name: name}
	off := int64(0)
	for range n {
		f, ok := parseFrame(b[off:], off, int64(len(b)), false)
		if !ok {
			break
		}
		s.frames = append(s.frames, int(off))
		off = f.end()
	}
	s.b = slices.Clone(b[:off])
	return &logBuilder{segs: []*bytesOf{s}}
}

// What TestEveryFlippedByte says of logs of our own holds for those of real etcds of both flavours.
func TestEveryFlippedByteOfRealSegments(t *testing.T) {
	for _, log := range []string{"c36-leasecp-1n-clean", "c36-restored-from34"} {
		t.Run(log, func(t *testing.T) {
			t.Parallel()
			const frames = 40
			b := realSegment(t, log, frames)
			flipSegment(t, b, 0, b.segs[0])
		})
	}
}

// The logs of three members, as they are in an archive of one cluster, read alike from the archive.
func TestOpenRealArchive(t *testing.T) {
	const name = "c37-3m-clean"
	fromDir, err := Open(os.DirFS(corpus.Dir(t, name)), "m2")
	check(t, err)
	defer fromDir.Close()
	fromArchive, err := Open(os.DirFS("../testdata"), name+".tar.zst/clean/m2")
	check(t, err)
	defer fromArchive.Close()
	want, got := collect(t, fromDir, Recover), collect(t, fromArchive, Recover)
	same := func(a, b seen) bool { return a.Pos == b.Pos && a.Kind == b.Kind && a.data == b.data }
	if !slices.EqualFunc(got, want, same) {
		t.Errorf("%d records from the archive, want the %d of the directory", len(got), len(want))
	}
}

// A log of more segments than are held open at once is read all the same, and what its files are
// opened for is closed again.
func TestManySegments(t *testing.T) {
	b := newLogBuilder(raftpb.FlavorPbgo)
	want := 0
	for range maxOpen + 10 {
		b.entry(2, []byte("x"))
		b.cut()
	}
	dir := t.TempDir()
	for name, data := range b.files(64) {
		writeFile(t, filepath.Join(dir, name), data)
	}
	for _, s := range b.segs {
		want += len(s.frames)
	}
	before := openFiles(t)
	l, err := Open(os.DirFS(dir), ".")
	check(t, err)
	if got := collect(t, l, Inspect); len(got) != want || slices.ContainsFunc(got, isDamage) {
		t.Errorf("%d records, want %d and no damage", len(got), want)
	}
	for _, err := range l.Records(Inspect) {
		check(t, err)
		break // leaves a segment in the middle
	}
	check(t, l.Close())
	if after := openFiles(t); after > before {
		t.Errorf("%d files open, %d before", after, before)
	}
}

// openFiles returns how many files in temporary directories this process has open.
func openFiles(t *testing.T) int {
	t.Helper()
	const fds = "/proc/self/fd"
	entries, err := os.ReadDir(fds)
	check(t, err)
	n := 0
	for _, e := range entries {
		target, err := os.Readlink(filepath.Join(fds, e.Name()))
		if err == nil && filepath.Ext(target) == segmentSuffix {
			n++
		}
	}
	return n
}
