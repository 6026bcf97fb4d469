package wal

import (
	"bytes"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/raftctl/raftctl/raftpb"
)

func openBuilt(t *testing.T, files map[string][]byte) *Log {
	t.Helper()
	log, err := Open(mapFS(files), "wal")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	return log
}

// checkFiles checks that a folder holds these segments, but for the zeros at the end.
func checkFiles(t *testing.T, dir string, want map[string][]byte) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	check(t, err)
	if len(entries) != len(want) {
		t.Errorf("%d files, want %d", len(entries), len(want))
	}
	for name, b := range want {
		got, err := os.ReadFile(filepath.Join(dir, name))
		check(t, err)
		got, b = bytes.TrimRight(got, "\x00"), bytes.TrimRight(b, "\x00")
		if !bytes.Equal(got, b) {
			t.Errorf("%s: %d bytes, want %d; they differ at %d", name, len(got), len(b), firstDifference(got, b))
		}
	}
}

// What a copy must keep beyond what etcd writes: a log without its first segments, fields that nobody
// knows, segments without a hard state at their head, an index that goes back in a name.
func TestCopyKeeps(t *testing.T) {
	purged := buildLog(raftpb.FlavorPbgo, 4).files(0)
	for name := range purged {
		if n, _ := ParseSegmentName(name); n.Seq < 2 {
			delete(purged, name)
		}
	}
	unknown := newLogBuilder(raftpb.FlavorGogo)
	unknown.state(2, 0)
	for range 3 {
		unknown.index++
		e := raftpb.Entry{Term: 2, Index: unknown.index, Data: []byte("x")}
		unknown.add(KindEntry, protowire.AppendVarint(protowire.AppendTag(e.Marshal(raftpb.FlavorGogo), 99,
			protowire.VarintType), 7))
	}
	bare := newLogBuilder(raftpb.FlavorGogo)
	bare.state(2, 0)
	bare.entry(2, []byte("a"))
	bare.cut()
	bare.entry(2, []byte("b"))
	bare.cut()
	bare.index = 0
	bare.segs[2].name.Index = 1
	bare.entry(3, []byte("c"))
	for what, files := range map[string]map[string][]byte{
		"purged": purged, "unknown fields": unknown.files(0), "bare heads, back": bare.files(0),
	} {
		log := openBuilt(t, files)
		w, dir := createCopy(t, log, raftpb.FlavorGogo)
		if err := Copy(w, log.Records(Recover)); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		mustClose(t, w)
		checkFiles(t, dir, files)
	}
}

// intactOnly leaves out damage.
func intactOnly(records iter.Seq2[*Record, error]) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		for rec, err := range records {
			if err == nil && rec.Kind == KindDamage {
				continue
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}

// Damage ends a copy unless the caller leaves it out: then the checksums are made anew, and what is
// left is proven.
func TestCopyDamaged(t *testing.T) {
	b := buildLog(raftpb.FlavorGogo, 3)
	files := b.files(0)
	files[b.segs[1].name.String()][b.segs[1].frames[5]+12] ^= 1
	log := openBuilt(t, files)
	w, _ := createCopy(t, log, raftpb.FlavorGogo)
	if err := Copy(w, log.Records(Inspect)); !sameError(err, new(CorruptError)) {
		t.Errorf("damage: got %v, want *CorruptError", err)
	}
	mustClose(t, w)

	// Two records of the second segment are lost: one damaged, and one that makes a gap more visible.
	without := func(yield func(*Record, error) bool) {
		for rec, err := range intactOnly(log.Records(Inspect)) {
			if err == nil && rec.Kind == KindState && rec.Pos.Segment == b.segs[1].name.String() {
				continue
			}
			if !yield(rec, err) {
				return
			}
		}
	}
	w, dir := createCopy(t, log, raftpb.FlavorGogo)
	check(t, Copy(w, without))
	mustClose(t, w)
	copied := openDir(t, dir)
	for rec, err := range copied.Records(Inspect) {
		check(t, err)
		if rec.Kind == KindDamage || rec.Unchecked {
			t.Errorf("%v: damage or unchecked after the copy", rec.Pos)
		}
	}
	if got := copied.Segments(); len(got) != 3 || got[2].Name != b.segs[2].name {
		t.Errorf("segments %v", got)
	}
}

// Records of another cluster are refused, those of the same one can be added.
func TestCopySeveral(t *testing.T) {
	b := newLogBuilder(raftpb.FlavorGogo)
	b.state(1, 0)
	b.entry(1, []byte("first"))
	log := openBuilt(t, b.files(0))
	more := newLogBuilder(raftpb.FlavorGogo)
	more.index = 1
	more.entry(1, []byte("second"))
	more.cut()
	more.entry(1, []byte("third"))
	donor := openBuilt(t, more.files(0))
	w, dir := createCopy(t, log, raftpb.FlavorGogo)
	check(t, Copy(w, log.Records(Recover)))
	check(t, Copy(w, donor.Records(Recover)))
	mustClose(t, w)
	copied := openDir(t, dir)
	r, err := copied.Verify(t.Context(), VerifyOptions{})
	check(t, err)
	if r.Verdict != VerdictOK || r.Last.Index != 3 || len(copied.Segments()) != 2 {
		t.Errorf("verdict %s, last %v, %d segments:\n%s", r.Verdict, r.Last, len(copied.Segments()), findingLines(r))
	}
	foreign := filepath.Join(t.TempDir(), "wal")
	mustClose(t, mustCreate(t, foreign, WriterOptions{}))
	w, _ = createCopy(t, log, raftpb.FlavorGogo)
	if err := Copy(w, openDir(t, foreign).Records(Recover)); !sameError(err, new(CorruptError)) {
		t.Errorf("another cluster's: got %v, want *CorruptError", err)
	}
	mustClose(t, w)
}

func TestCreateOptionsOfNoLog(t *testing.T) {
	log := openBuilt(t, map[string][]byte{SegmentName{}.String(): bytes.Repeat([]byte{7}, 64)})
	if _, err := log.CreateOptions(); !errors.Is(err, ErrNoRecord) {
		t.Errorf("got %v, want ErrNoRecord", err)
	}
}
