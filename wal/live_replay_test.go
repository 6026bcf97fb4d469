package wal

import (
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/raftpb"
)

func viewOf(t *testing.T, files map[string][]byte) *View {
	t.Helper()
	v, err := openBuilt(t, files).View(t.Context())
	check(t, err)
	return v
}

// played returns the indexes that Replay yields, and its error.
func played(v *View, first, last uint64) (indexes []uint64, err error) {
	for e, err := range v.Replay(first, last) {
		if err != nil {
			return indexes, err
		}
		indexes = append(indexes, e.Index)
	}
	return indexes, nil
}

func indexesTo(first, last uint64) (all []uint64) {
	for i := first; i <= last; i++ {
		all = append(all, i)
	}
	return all
}

// Every range of a log that is whole is replayed, and every entry located.
func TestReplayAndLocate(t *testing.T) {
	b := buildLog(raftpb.FlavorGogo, 4)
	v := viewOf(t, b.files(64))
	for first := uint64(1); first <= b.index; first++ {
		for last := first; last <= b.index; last++ {
			got, err := played(v, first, last)
			if err != nil || !slices.Equal(got, indexesTo(first, last)) {
				t.Fatalf("%d..%d: %v, %v", first, last, got, err)
			}
		}
		at, err := v.Locate(first)
		check(t, err)
		if rec, err := v.log.ReadAt(at); err != nil || rec.ID.Index != first {
			t.Errorf("entry %d is said to lie at %v: %v, %v", first, at, rec, err)
		}
	}
	if got, err := played(v, 5, 4); err != nil || len(got) != 0 {
		t.Errorf("an empty range: %v, %v", got, err)
	}
	for _, index := range []uint64{0, b.index + 1, math.MaxUint64} {
		_, locateErr := v.Locate(index)
		_, replayErr := played(v, index, index)
		if !errors.Is(locateErr, ErrGap) || !errors.Is(replayErr, ErrGap) {
			t.Errorf("entry %d: %v, %v, want ErrGap", index, locateErr, replayErr)
		}
	}
	got, err := played(v, b.index-1, b.index+1)
	if e, ok := errors.AsType[*ReplayError](err); !ok || e.Index != b.index+1 || len(got) != 2 {
		t.Errorf("beyond the end: %v, %v", got, err)
	}
}

// Entries that were overwritten, also across segments and back below a segment's name, aren't replayed.
func TestReplayOverwritten(t *testing.T) {
	b := newLogBuilder(raftpb.FlavorGogo)
	write := func(term, first, last uint64) {
		b.index = first - 1
		b.state(term, min(2, first-1))
		for i := first; i <= last; i++ {
			b.entry(term, []byte{byte(term)})
		}
	}
	write(1, 1, 9)
	b.cut()
	write(1, 10, 14)
	b.cut()
	write(2, 4, 6)
	b.cut()
	write(2, 7, 8)
	write(3, 8, 12)
	b.cut()
	write(3, 13, 13)
	v := viewOf(t, b.files(0))
	terms := "1112222333333"
	for first := uint64(1); first <= 13; first++ {
		next := first
		for e, err := range v.Replay(first, 13) {
			check(t, err)
			if e.Index != next || e.Term != uint64(terms[next-1]-'0') {
				t.Errorf("from %d: %v, want %c/%d", first, e.ID(), terms[next-1], next)
			}
			next++
		}
		at, err := v.Locate(first)
		check(t, err)
		rec, err := v.log.ReadAt(at)
		check(t, err)
		if want := (raftpb.EntryID{Term: uint64(terms[first-1] - '0'), Index: first}); rec.ID != want {
			t.Errorf("located %v, want %v", rec.ID, want)
		}
	}
}

// Whatever keeps an entry from being applied ends a replay there, with the reason and the place.
func TestReplayFails(t *testing.T) {
	for what, c := range map[string]struct {
		corrupt func(w *wreck)
		want    error
		good    uint64 // the last that is yielded
	}{
		"payload": {func(w *wreck) { w.file(1)[w.segs[1].frames[5]+30] ^= 1 }, ErrGap, 0},
		"sector":  {func(w *wreck) { clear(w.file(1)[512:1024]) }, ErrGap, 0},
		"segment": {func(w *wreck) { w.remove(1) }, ErrGap, 8},
		"end":     {func(w *wreck) { f := w.file(2); w.set(2, f[:len(f)-150]) }, ErrGap, 0},
	} {
		b := buildLog(raftpb.FlavorGogo, 3)
		w := &wreck{logBuilder: b, files: b.files(0)}
		c.corrupt(w)
		v := viewOf(t, w.files)
		got, err := played(v, 1, b.index)
		e, ok := errors.AsType[*ReplayError](err)
		if !ok || !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want *ReplayError that is %v", what, err, c.want)
			continue
		}
		if !slices.Equal(got, indexesTo(1, e.Index-1)) || len(got) == 0 || c.good != 0 && e.Index != c.good+1 {
			t.Errorf("%s: replayed %v, then: %v", what, got, err)
		}
		if e.Pos.Segment == "" {
			t.Errorf("%s: no place: %v", what, err)
		}
	}
}

// An entry that is intact and no entry, and one that can't be checked.
func TestReplayFaultyEntries(t *testing.T) {
	b := newLogBuilder(raftpb.FlavorGogo)
	b.state(1, 0)
	b.entry(1, []byte("a"))
	b.index++
	bad := len(b.tail().frames)
	b.add(KindEntry, []byte{0x10, 1, 0x18, 2, 0x22, 0x80})
	b.entry(1, []byte("c"))
	v := viewOf(t, b.files(0))
	got, err := played(v, 1, 3)
	e, ok := errors.AsType[*ReplayError](err)
	if !ok || !errors.Is(err, ErrUndecodable) || e.Index != 2 || e.Pos.Off != int64(b.tail().frames[bad]) ||
		!slices.Equal(got, []uint64{1}) {
		t.Errorf("replayed %v, then: %v", got, err)
	}

	// The frame of entry 2 is gone, with its checksum, so that entry 3 can't be checked.
	b = newLogBuilder(raftpb.FlavorGogo)
	b.state(1, 0)
	for range 5 {
		b.entry(1, []byte("data"))
	}
	files := b.files(0)
	f := b.tail().frames
	copy(files[SegmentName{}.String()][f[5]:f[6]], strings.Repeat("\xff", f[6]-f[5]))
	v = viewOf(t, files)
	if got, err := played(v, 1, 5); !errors.Is(err, ErrGap) || !slices.Equal(got, []uint64{1}) {
		t.Errorf("replayed %v, then: %v", got, err)
	}
	got, err = played(v, 3, 5)
	e, ok = errors.AsType[*ReplayError](err)
	if !ok || !errors.Is(err, ErrUnchecked) || e.Index != 3 || e.Pos.Off != int64(f[6]) || len(got) > 0 {
		t.Errorf("replayed %v, then: %v", got, err)
	}
	if got, err := played(v, 4, 5); err != nil || !slices.Equal(got, []uint64{4, 5}) {
		t.Errorf("behind it: replayed %v, then: %v", got, err)
	}
}

// Where damage may have taken what overwrote the entries before it, they are in doubt, and nothing is
// replayed across it.
func TestReplayDoubt(t *testing.T) {
	b := newLogBuilder(raftpb.FlavorGogo)
	b.state(1, 0)
	for range 3 {
		b.entry(1, []byte("data"))
	}
	b.state(2, 0)
	for range 2 {
		b.entry(2, []byte("data"))
	}
	files := b.files(0)
	f := b.tail().frames
	files[SegmentName{}.String()][f[7]+24] ^= 1 // the vote in the second hard state
	v := viewOf(t, files)
	if len(v.Ranges) != 2 {
		t.Fatalf("ranges %v, want two", v.Ranges)
	}
	got, err := played(v, 1, 5)
	e, ok := errors.AsType[*ReplayError](err)
	if !ok || !errors.Is(err, ErrGap) || e.Index != 4 || e.Pos.Segment == "" || !slices.Equal(got, []uint64{1, 2, 3}) {
		t.Errorf("replayed %v, then: %v", got, err)
	}
}

// openCounter counts which files are opened.
type openCounter struct {
	fs.FS
	read *sync.Map
}

func (c openCounter) Open(name string) (fs.File, error) {
	f, err := c.FS.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil || info.IsDir() {
		return f, err
	}
	return countedFile{f, c.read, filepath.Base(name)}, nil
}

type countedFile struct {
	fs.File
	read *sync.Map
	name string
}

func (f countedFile) ReadAt(b []byte, off int64) (int, error) {
	f.read.Store(f.name, true)
	return f.File.(io.ReaderAt).ReadAt(b, off)
}

// A replay reads the segment that holds the first entry and those behind it, and none before.
func TestReplayBeginsAtItsSegment(t *testing.T) {
	read := new(sync.Map)
	dir := filepath.Join(corpus.Dir(t, "c36-multiseg-1n-clean"), "member", "wal")
	log, err := Open(openCounter{os.DirFS(dir), read}, ".")
	check(t, err)
	defer log.Close()
	v, err := log.View(t.Context())
	check(t, err)
	segs := log.Segments()
	if len(segs) < 3 {
		t.Fatalf("%d segments, want three or more", len(segs))
	}
	last := segs[len(segs)-1]
	read.Clear()
	first := last.Name.Index
	got, err := played(v, first, v.Last.Index)
	if err != nil || !slices.Equal(got, indexesTo(first, v.Last.Index)) {
		t.Errorf("replayed %d entries: %v", len(got), err)
	}
	at, err := v.Locate(first)
	if err != nil || at.Segment != last.File {
		t.Errorf("entry %d is said to lie at %v (%v), want in %s", first, at, err, last.File)
	}
	var names []any
	for name := range read.Range {
		names = append(names, name)
	}
	if len(names) != 1 || names[0] != last.File {
		t.Errorf("read %v, want %s only", names, last.File)
	}
}

// The end of the intact part has place, checksum, state and last entry as of there, wherever the
// damage is; a writer can go on there.
func TestIntactEnd(t *testing.T) {
	b := buildLog(raftpb.FlavorGogo, 3)
	whole := viewOf(t, b.files(0))
	var records []Record
	var states []raftpb.HardState
	var state raftpb.HardState
	for rec, err := range whole.log.Records(Recover) {
		check(t, err)
		if rec.Kind == KindState {
			check(t, state.Unmarshal(rec.Data))
		}
		records = append(records, *rec)
		states = append(states, state)
	}
	last := raftpb.EntryID{}
	for i, rec := range records {
		if rec.Kind == KindEntry {
			last = rec.ID
		}
		if i+1 == len(records) || records[i+1].Pos.Segment != rec.Pos.Segment {
			continue // damage to a segment's first record is seen at its place
		}
		next := records[i+1]
		files := b.files(0)
		clear(files[next.Pos.Segment][next.Pos.Off:][:next.Len])
		end, err := viewOf(t, files).IntactEnd(t.Context())
		check(t, err)
		want := Position{rec.Pos.Segment, rec.Pos.Off + rec.Len}
		told := end.Damage != nil || i+2 == len(records) // zeros in place of the last record are no damage
		if end.Position != want || end.CRC != rec.CRC || end.State != states[i] || end.Last != last || !told {
			t.Errorf("damage at %v: %+v, want %v, crc %08x, %v, %v", next.Pos, end, want, rec.CRC, states[i], last)
		}
	}
	end, err := whole.IntactEnd(t.Context())
	check(t, err)
	if end.Damage != nil || end.Last != whole.Last || end.State != whole.State {
		t.Errorf("of a whole log: %+v", end)
	}
}

// Whatever the view calls intact is given when reading begins there, although what proves it lies in the
// segment before: the first frames of the entry's own one are damaged, in any combination.
func TestReplayBehindDamagedHead(t *testing.T) {
	b := buildLog(raftpb.FlavorGogo, 3)
	s := b.segs[1]
	for mask := range 1 << 6 {
		files := b.files(64)
		for i, off := range s.frames[:6] {
			if mask>>i&1 == 1 {
				files[s.name.String()][off+3] ^= 0xa5 // of the length
			}
		}
		v := viewOf(t, files)
		for _, r := range v.Ranges {
			first := max(r.First, s.name.Index)
			if got, err := played(v, first, r.Last); err != nil || !slices.Equal(got, indexesTo(first, r.Last)) {
				t.Fatalf("damage %b: %d..%d: %v, %v", mask, first, r.Last, got, err)
			}
			if at, err := v.Locate(first); err != nil || at.Segment < s.name.String() {
				t.Fatalf("damage %b: entry %d lies at %v: %v", mask, first, at, err)
			}
		}
	}
}
