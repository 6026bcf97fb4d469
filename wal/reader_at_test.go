package wal

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/raftpb"
)

// Every record of what real etcds wrote can be read by its place alone, checked, and its canonical
// frame is what lies there.
func TestReadAtAndAppendFrame(t *testing.T) {
	for _, name := range []string{"c34-1n-clean", "c36-leasecp-1n-clean", "c36-fnc-1n-clean"} {
		log, err := Open(os.DirFS(corpus.Dir(t, name)), ".")
		check(t, err)
		n := 0
		for rec, err := range log.Records(Recover) {
			check(t, err)
			n++
			got, err := log.ReadAt(rec.Pos)
			if err != nil {
				t.Fatal(err)
			}
			if got.Kind != rec.Kind || got.CRC != rec.CRC || got.Len != rec.Len || got.ID != rec.ID ||
				got.Pad != rec.Pad || !bytes.Equal(got.Data, rec.Data) || got.Unchecked {
				t.Errorf("%s: got %+v, want %+v", name, got, rec)
			}
			checkFrameOnDisk(t, log, got)
			for _, off := range []int64{-8, 8, 1} {
				at := Position{rec.Pos.Segment, rec.Pos.Off + off}
				if r, err := log.ReadAt(at); !errors.Is(err, ErrNoRecord) && (err != nil || r.Len == 0) {
					t.Errorf("%v: %v, want a record or ErrNoRecord", at, err)
				}
			}
		}
		if n < 10 {
			t.Errorf("%s: %d records", name, n)
		}
		check(t, log.Close())
	}
}

// checkFrameOnDisk checks that the canonical frame of a record is what Log.FS shows at its place.
func checkFrameOnDisk(t *testing.T, l *Log, rec *Record) {
	t.Helper()
	f, err := l.FS().Open(path.Join(l.Dir(), rec.Pos.Segment))
	check(t, err)
	defer f.Close()
	b := make([]byte, rec.Len)
	if _, err := f.(interface {
		ReadAt([]byte, int64) (int, error)
	}).ReadAt(b, rec.Pos.Off); err != nil {
		t.Fatal(err)
	}
	if got := rec.AppendFrame([]byte("before")); string(got) != "before"+string(b) {
		t.Errorf("%v: frame %x, want %x", rec.Pos, got[6:], b)
	}
}

// FS shows the tree of an archive.
func TestFSOfArchive(t *testing.T) {
	log, err := Open(fstest.MapFS{"x": {Data: compress(t, "zstd", tarOf(t, dataDir("b/")))}}, "x")
	check(t, err)
	defer log.Close()
	if _, err := fs.Stat(log.FS(), path.Join(log.Dir(), log.Segments()[0].File)); err != nil {
		t.Error(err)
	}
	rec, err := log.ReadAt(Position{Segment: log.Segments()[0].File})
	if err != nil || rec.Kind != KindCRC {
		t.Errorf("%v, %v, want a crc record", rec, err)
	}
}

// Behind damage a record is unchecked; where nothing proves it, there is none; and bytes within a
// record are none.
func TestReadAtDamage(t *testing.T) {
	b := buildLog(raftpb.FlavorGogo, 1)
	seg := b.segs[0]
	name := seg.name.String()
	at := func(i int) Position { return Position{name, int64(seg.frames[i])} }
	read := func(corrupt func(b []byte), p Position) (*Record, error) {
		files := b.files(512)
		corrupt(files[name])
		log, err := Open(mapFS(files), "wal")
		check(t, err)
		defer log.Close()
		return log.ReadAt(p)
	}
	last := len(seg.frames) - 1
	for what, c := range map[string]struct {
		corrupt func(b []byte)
		at      Position
		want    error
		checked bool
	}{
		"intact":           {func([]byte) {}, at(6), nil, true},
		"the last":         {func([]byte) {}, at(last), nil, true},
		"the first":        {func([]byte) {}, at(0), nil, true},
		"behind damage":    {func(b []byte) { clear(b[seg.frames[5]:seg.frames[6]]) }, at(6), nil, false},
		"last, no proof":   {func(b []byte) { clear(b[seg.frames[last-1]:seg.frames[last]]) }, at(last), ErrNoRecord, false},
		"its data":         {func(b []byte) { b[seg.frames[7]-9] ^= 1 }, at(6), nil, false},
		"its length":       {func(b []byte) { b[seg.frames[6]] ^= 1 }, at(6), ErrNoRecord, false},
		"within a record":  {func([]byte) {}, Position{name, at(6).Off + 8}, ErrNoRecord, false},
		"zeros":            {func([]byte) {}, Position{name, int64(len(seg.b)) + 8}, ErrNoRecord, false},
		"behind the end":   {func([]byte) {}, Position{name, 1 << 40}, ErrNoRecord, false},
		"before the start": {func([]byte) {}, Position{name, -8}, ErrNoRecord, false},
		"another segment":  {func([]byte) {}, Position{"x.wal", 0}, ErrNoRecord, false},
	} {
		rec, err := read(c.corrupt, c.at)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", what, err, c.want)
		}
		if err == nil && rec.Unchecked == c.checked {
			t.Errorf("%s: unchecked %v, want %v", what, rec.Unchecked, !c.checked)
		}
	}
}

// Every byte of a log as the place of a record: no panic, and nothing but the records.
func TestReadAtEverywhere(t *testing.T) {
	b := buildLog(raftpb.FlavorPbgo, 2)
	log, err := Open(mapFS(b.files(64)), "wal")
	check(t, err)
	defer log.Close()
	for _, seg := range b.segs {
		begins := map[int64]bool{}
		for _, off := range seg.frames {
			begins[int64(off)] = true
		}
		for off := range int64(len(seg.b) + 64) {
			if _, err := log.ReadAt(Position{seg.name.String(), off}); (err == nil) != begins[off] {
				t.Errorf("offset %d: %v", off, err)
			}
		}
	}
}

// A damage has no frame.
func TestAppendFrameOfDamage(t *testing.T) {
	if got := (&Record{Kind: KindDamage}).AppendFrame(nil); got != nil {
		t.Errorf("got %x", got)
	}
}

// OnSync sees every sync of a segment: one an append, and those of rolling and closing.
func TestOnSync(t *testing.T) {
	var took []time.Duration
	dir := filepath.Join(t.TempDir(), "wal")
	o := WriterOptions{segmentSize: 4096, OnSync: func(d time.Duration) { took = append(took, d) }}
	w := mustCreate(t, dir, o)
	n := len(took)
	if n == 0 {
		t.Error("Create made no sync")
	}
	check(t, w.Append(raftpb.HardState{Term: 1}, []raftpb.Entry{{Term: 1, Index: 1}}))
	if len(took) != n+1 || took[n] <= 0 {
		t.Errorf("an append made syncs of %v, want one of some length", took[n:])
	}
	n = len(took)
	check(t, w.Roll())
	if len(took) < n+2 {
		t.Errorf("a roll made syncs of %v, want that of the old segment and of the new one", took[n:])
	}
	mustClose(t, w)
	n = len(took)
	w = mustOpen(t, dir, AppendOptions{WriterOptions: o})
	check(t, w.Append(raftpb.HardState{Term: 2}, []raftpb.Entry{{Term: 2, Index: 2}}))
	if len(took) <= n {
		t.Error("no sync after opening")
	}
	mustClose(t, w)
}

// FuzzReadAt asks for a record at any place of any bytes: the canonical frame of what is returned is
// what lies there, unless its type was wrong.
func FuzzReadAt(f *testing.F) {
	b := buildLog(raftpb.FlavorGogo, 1)
	f.Add(b.segs[0].b, int64(b.segs[0].frames[6]), uint16(0), byte(0))
	f.Add(b.segs[0].b, int64(b.segs[0].frames[1]), uint16(70), byte(1))
	f.Add(append([]byte{1, 2, 3}, b.segs[0].b...), int64(3), uint16(9), byte(0xff))
	f.Fuzz(func(t *testing.T, segment []byte, off int64, flip uint16, mask byte) {
		if len(segment) == 0 {
			return // Open refuses it
		}
		segment = bytes.Clone(segment)
		segment[int(flip)%len(segment)] ^= mask
		name := SegmentName{}.String()
		log, err := Open(mapFS(map[string][]byte{name: segment}), "wal")
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		rec, err := log.ReadAt(Position{name, off})
		if err != nil {
			if !errors.Is(err, ErrNoRecord) {
				t.Fatal(err)
			}
			return
		}
		frame := segment[off:][:rec.Len]
		if want := rec.AppendFrame(nil); Kind(frame[9]) == rec.Kind && !bytes.Equal(frame, want) {
			t.Errorf("frame %x, want %x", frame, want)
		}
	})
}
