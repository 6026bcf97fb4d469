package wal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/internal/vfs/faultfs"
	"github.com/raftctl/raftctl/raftpb"
)

var voters = &raftpb.ConfState{Voters: []uint64{1}}

// fill appends entries first to last, one by one, of about a block each.
func fill(tb testing.TB, w *Writer, first, last uint64) {
	tb.Helper()
	for index := first; index <= last; index++ {
		e := []raftpb.Entry{{Term: 1, Index: index, Data: make([]byte, 1000)}}
		if err := w.Append(raftpb.HardState{Term: 1, Commit: index - 1}, e); err != nil {
			tb.Fatal(err)
		}
	}
}

func listSegments(tb testing.TB, fsys vfs.FS, dir string) []SegmentName {
	tb.Helper()
	names, err := Etcd.segmentNames(fsys, dir)
	if err != nil {
		tb.Fatal(err)
	}
	return names
}

// What can't be right is refused, changes nothing, and doesn't stop the writer.
func TestRefused(t *testing.T) {
	fsys := newFaultFS(t)
	w, err := Create(fsys, faultDir, CreateOptions{WriterOptions: faultOptions})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, w, 1, 2)
	for name, call := range map[string]func() error{
		"gap": func() error { return w.Append(raftpb.HardState{}, []raftpb.Entry{{Index: 4}}) },
		"gap within": func() error {
			return w.Append(raftpb.HardState{Term: 9}, []raftpb.Entry{{Index: 3}, {Index: 5}})
		},
		"index 0":              func() error { return w.Append(raftpb.HardState{}, []raftpb.Entry{{}}) },
		"no conf state":        func() error { return w.SaveSnapshot(Snapshot{Index: 1, Term: 1}) },
		"crc record":           func() error { return w.AppendRecord(KindCRC, nil) },
		"metadata record":      func() error { return w.AppendRecord(KindMetadata, nil) },
		"damage":               func() error { return w.AppendRecord(KindDamage, nil) },
		"malformed entry":      func() error { return w.AppendRecord(KindEntry, []byte{0xff}) },
		"malformed hard state": func() error { return w.AppendRecord(KindState, []byte{0xff}) },
		"malformed snapshot":   func() error { return w.AppendRecord(KindSnapshot, []byte{0xff}) },
	} {
		ops, size := fsys.Ops(), w.Size()
		if err := call(); err == nil {
			t.Errorf("%s: no error", name)
		}
		if fsys.Ops() != ops || w.Size() != size || w.Last() != 2 {
			t.Errorf("%s: something was written", name)
		}
	}
	fill(t, w, 3, 3)
	mustClose(t, w)
	for name, err := range map[string]error{
		"Append": w.Append(raftpb.HardState{Term: 1}, nil), "Sync": w.Sync(), "Close": w.Close(),
	} {
		if !errors.Is(err, ErrWriterClosed) {
			t.Errorf("%s after Close: got %v, want ErrWriterClosed", name, err)
		}
	}
}

func TestReleaseAndPurge(t *testing.T) {
	fsys := newFaultFS(t)
	w, err := Create(fsys, faultDir, CreateOptions{WriterOptions: faultOptions})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, w, 1, 40)
	all := listSegments(t, fsys, faultDir)
	if len(all) < 6 {
		t.Fatalf("%d segments, want 6 or more", len(all))
	}
	if gone, err := w.Purge(1); len(gone) > 0 || err != nil {
		t.Errorf("purge of what is held: removed %v (%v)", gone, err)
	}
	// The entry before the fourth segment's first lies in the third.
	if err := w.ReleaseTo(all[3].Index - 1); err != nil {
		t.Fatal(err)
	}
	if got, want := len(fsys.Locked()), len(all)-2; got != want {
		t.Errorf("%d segments locked after the release, want %d", got, want)
	}
	gone, err := w.Purge(len(all) - 1)
	if diff := cmp.Diff(all[:1], gone); diff != "" || err != nil {
		t.Errorf("purged one too many (%v): -want +got\n%s", err, diff)
	}
	gone, err = w.Purge(0)
	if diff := cmp.Diff(all[1:2], gone); diff != "" || err != nil {
		t.Errorf("purged what is released (%v): -want +got\n%s", err, diff)
	}
	if diff := cmp.Diff(all[2:], listSegments(t, fsys, faultDir)); diff != "" {
		t.Errorf("segments left: -want +got\n%s", diff)
	}
	fill(t, w, 41, 45)
	if err := w.ReleaseTo(1000); err != nil {
		t.Fatal(err)
	}
	if got := fsys.Locked(); len(got) != 1 {
		t.Errorf("locked after releasing everything: %v, want the last segment only", got)
	}
	mustClose(t, w)
	if w, _, err = OpenForAppend(fsys, faultDir, AppendOptions{WriterOptions: faultOptions}); err != nil {
		t.Fatal(err)
	}
	if got, want := w.Last(), uint64(45); got != want {
		t.Errorf("last index of the purged log: %d, want %d", got, want)
	}
	mustClose(t, w)
}

// A segment that another process holds is not purged.
func TestPurgeLeavesLocked(t *testing.T) {
	fsys := newFaultFS(t)
	w, err := Create(fsys, faultDir, CreateOptions{WriterOptions: faultOptions})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, w, 1, 20)
	all := listSegments(t, fsys, faultDir)
	if err := w.ReleaseTo(21); err != nil {
		t.Fatal(err)
	}
	reader, err := openLocked(fsys, filepath.Join(faultDir, all[1].String()), os.O_RDWR)
	if err != nil {
		t.Fatal(err)
	}
	gone, err := w.Purge(1)
	if diff := cmp.Diff(all[:1], gone); diff != "" || !errors.Is(err, ErrLocked) {
		t.Errorf("purge: got %v, want ErrLocked; -want +got\n%s", err, diff)
	}
	mustClose(t, reader, w)
}

// A crash during a purge leaves no gap.
func TestPurgeCrash(t *testing.T) {
	for i := range 30 {
		fsys := newFaultFS(t)
		w, err := Create(fsys, faultDir, CreateOptions{WriterOptions: faultOptions})
		if err != nil {
			t.Fatal(err)
		}
		fill(t, w, 1, 40)
		if err := w.ReleaseTo(41); err != nil {
			t.Fatal(err)
		}
		stop := fsys.Ops() + i
		fsys.Watch(func(op faultfs.Op) error {
			if op.N >= stop {
				return faultfs.ErrInjected
			}
			return nil
		})
		if _, err := w.Purge(1); !errors.Is(err, faultfs.ErrInjected) {
			t.Fatalf("stopped at operation %d: got %v", i, err)
		}
		for name, c := range crashes(uint64(i)) {
			after := fsys.Crash(c)
			w, _, err := OpenForAppend(after, faultDir, AppendOptions{WriterOptions: faultOptions})
			if err != nil {
				t.Fatalf("stopped at operation %d, crash with %s: %v", i, name, err)
			}
			if w.Last() != 40 {
				t.Errorf("stopped at operation %d, crash with %s: last index %d, want 40", i, name, w.Last())
			}
			mustClose(t, w)
		}
	}
}

// A log that is appended to keeps its flavour, whatever the options ask for.
func TestKeepsFlavor(t *testing.T) {
	for _, flavor := range []raftpb.Flavor{raftpb.FlavorGogo, raftpb.FlavorPbgo} {
		fsys, o := newFaultFS(t), faultOptions
		o.Flavor = flavor
		w, err := Create(fsys, faultDir, CreateOptions{WriterOptions: o})
		if err != nil {
			t.Fatal(err)
		}
		fill(t, w, 1, 1)
		mustClose(t, w)
		for _, asked := range []raftpb.Flavor{raftpb.FlavorGogo, raftpb.FlavorPbgo} {
			o.Flavor = asked
			w, _, err := OpenForAppend(fsys, faultDir, AppendOptions{WriterOptions: o})
			if err != nil {
				t.Fatal(err)
			}
			if w.Flavor() != flavor {
				t.Errorf("a log of flavour %v, opened with %v: %v", flavor, asked, w.Flavor())
			}
			mustClose(t, w)
		}
	}
}

// What a killed writer had prepared goes away when the log is opened, and when a writer is closed.
func TestSparesAreRemoved(t *testing.T) {
	fsys, o := newFaultFS(t), faultOptions
	o.inline = false
	w, err := Create(fsys, faultDir, CreateOptions{WriterOptions: o})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, w, 1, 3) // more than half a segment
	killed := fsys.Crash(faultfs.Crash{Keep: 1})
	mustClose(t, w)
	for _, name := range []string{"0.tmp", "1.tmp"} {
		if _, err := fsys.Stat(filepath.Join(faultDir, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s after Close: %v", name, err)
		}
		f, err := killed.OpenFile(filepath.Join(faultDir, name), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		mustClose(t, f)
	}
	w, _, err = OpenForAppend(killed, faultDir, AppendOptions{WriterOptions: o})
	if err != nil {
		t.Fatal(err)
	}
	entries, err := killed.ReadDir(faultDir)
	if err != nil || len(entries) != 1 {
		t.Errorf("after opening: %v (%v), want one segment", entries, err)
	}
	mustClose(t, w)
}

// NoSync writes in large pieces and syncs when it is asked to.
func TestNoSync(t *testing.T) {
	fsys, o := newFaultFS(t), WriterOptions{segmentSize: 1 << 20, inline: true, NoSync: true}
	w, err := Create(fsys, faultDir, CreateOptions{WriterOptions: o})
	if err != nil {
		t.Fatal(err)
	}
	var ops []faultfs.Kind
	fsys.Watch(func(op faultfs.Op) error {
		ops = append(ops, op.Kind)
		return nil
	})
	fill(t, w, 1, 300)
	if slices.Contains(ops, faultfs.OpSync) || len(ops) < 2 || len(ops) > 4 {
		t.Errorf("300 appends: operations %v, want two or three writes", ops)
	}
	if err := w.SaveSnapshot(Snapshot{Index: 300, Term: 1, ConfState: voters}); err != nil {
		t.Fatal(err)
	}
	if err := w.Sync(); err != nil {
		t.Fatal(err)
	}
	after, _, err := OpenForAppend(fsys.Crash(faultfs.Crash{}), faultDir, AppendOptions{
		At: raftpb.EntryID{Term: 1, Index: 300}, WriterOptions: o,
	})
	if err != nil {
		t.Fatal(err)
	}
	mustClose(t, after, w)
}

// Opening at a snapshot reads and locks only the segments that hold what follows it.
func TestOpenAtSnapshot(t *testing.T) {
	fsys := newFaultFS(t)
	w, err := Create(fsys, faultDir, CreateOptions{WriterOptions: faultOptions})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, w, 1, 20)
	if err := w.SaveSnapshot(Snapshot{Index: 18, Term: 1, ConfState: voters}); err != nil {
		t.Fatal(err)
	}
	mustClose(t, w)
	var first uint64
	at := AppendOptions{At: raftpb.EntryID{Term: 1, Index: 18}, WriterOptions: faultOptions}
	at.Replay = func(rec *Record) error {
		var e raftpb.Entry
		if rec.Kind != KindEntry || first != 0 {
			return nil
		}
		err := e.UnmarshalAlias(rec.Data)
		first = e.Index
		return err
	}
	if w, _, err = OpenForAppend(fsys, faultDir, at); err != nil {
		t.Fatal(err)
	}
	if n := len(listSegments(t, fsys, faultDir)); len(fsys.Locked()) >= n || first < 10 {
		t.Errorf("%d of %d segments locked, first entry %d", len(fsys.Locked()), n, first)
	}
	mustClose(t, w)
	for _, id := range []raftpb.EntryID{{Term: 2, Index: 18}, {Term: 1, Index: 17}} {
		at.At = id
		if _, _, err := OpenForAppend(fsys, faultDir, at); !errors.Is(err, ErrSnapshotNotFound) {
			t.Errorf("at %v: got %v, want ErrSnapshotNotFound", id, err)
		}
	}
	if held := fsys.Locked(); len(held) > 0 {
		t.Errorf("locked after a refusal: %v", held)
	}
}

// A torn end is refused with its position, unless it may be cut off; other damage is always
// refused.
func TestOpenDamaged(t *testing.T) {
	const tornAt = 3000 // in the third entry
	for name, c := range map[string]struct {
		corrupt func(b []byte)
		cutTorn bool
		want    error
	}{
		"intact":              {func([]byte) {}, false, nil},
		"torn":                {func(b []byte) { clear(b[tornAt:]) }, false, ErrTorn},
		"torn, may be cut":    {func(b []byte) { clear(b[tornAt:]) }, true, nil},
		"flipped":             {func(b []byte) { b[1500] ^= 1 }, true, new(CorruptError)},
		"garbage at the end":  {func(b []byte) { b[len(b)-1] = 1 }, false, new(CorruptError)},
		"a sector is missing": {func(b []byte) { clear(b[2048:2560]) }, false, ErrTorn},
		"missing, may be cut": {func(b []byte) { clear(b[2048:2560]) }, true, nil},
	} {
		fsys, o := newFaultFS(t), faultOptions
		o.segmentSize = 8192
		w, err := Create(fsys, faultDir, CreateOptions{WriterOptions: o})
		if err != nil {
			t.Fatal(err)
		}
		for i := range uint64(3) {
			e := []raftpb.Entry{{Term: 1, Index: i + 1, Data: slices.Repeat([]byte{7}, 1000)}}
			if err := w.Append(raftpb.HardState{}, e); err != nil {
				t.Fatal(err)
			}
		}
		mustClose(t, w)
		corruptFile(t, fsys, filepath.Join(faultDir, SegmentName{}.String()), c.corrupt)
		var rec *Recovered
		w, rec, err = OpenForAppend(fsys, faultDir, AppendOptions{CutTorn: c.cutTorn, WriterOptions: o})
		if !sameError(err, c.want) {
			t.Errorf("%s: got %v, want %T", name, err, c.want)
		}
		if err != nil {
			continue
		}
		if torn := rec.Torn; c.cutTorn != (torn.Len > 0) || c.cutTorn && torn.At.Off > tornAt {
			t.Errorf("%s: torn end of %d bytes at %v", name, torn.Len, torn.At)
		}
		fill(t, w, w.Last()+1, w.Last()+3)
		mustClose(t, w)
		mustClose(t, reopen(t, fsys, o))
	}
}

// sameError reports whether err is want, or also a CorruptError.
func sameError(err, want error) bool {
	if _, corrupt := errors.AsType[*CorruptError](want); corrupt {
		_, corrupt = errors.AsType[*CorruptError](err)
		return corrupt
	}
	return errors.Is(err, want)
}

func reopen(t *testing.T, fsys vfs.FS, o WriterOptions) *Writer {
	t.Helper()
	w, _, err := OpenForAppend(fsys, faultDir, AppendOptions{WriterOptions: o})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func corruptFile(t *testing.T, fsys vfs.FS, path string, corrupt func([]byte)) {
	t.Helper()
	f, err := fsys.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, info.Size())
	if _, err := f.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	corrupt(b)
	if _, err := f.WriteAt(b, 0); err != nil {
		t.Fatal(err)
	}
	mustClose(t, f)
}

// Many callers at once, with snapshots, syncs, cuts, releases and purges in between: each append is
// there, in its caller's order. Worth most under the race detector.
func TestConcurrentCallers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "wal")
	o := WriterOptions{segmentSize: 64 << 10}
	w := mustCreate(t, dir, o)
	const callers, each = 16, 100
	var wg sync.WaitGroup
	for caller := range callers {
		wg.Go(func() {
			for n := range each {
				if err := oneCall(w, caller, n); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	mustClose(t, w)
	seen := make([]int, callers)
	w = mustOpen(t, dir, AppendOptions{WriterOptions: o, Replay: func(rec *Record) error {
		var e raftpb.Entry
		if rec.Kind != KindEntry {
			return nil
		}
		if err := e.UnmarshalAlias(rec.Data); err != nil {
			return err
		}
		caller, n := int(e.Data[0]), int(e.Data[1])
		if n <= seen[caller]-1 {
			return fmt.Errorf("caller %d: entry %d comes late", caller, n)
		}
		seen[caller] = n + 1
		return nil
	}})
	mustClose(t, w)
	for caller, n := range seen {
		if n != each {
			t.Errorf("caller %d: last entry is number %d, want %d", caller, n, each)
		}
	}
}

func oneCall(w *Writer, caller, n int) error {
	data := slices.Repeat([]byte{byte(caller), byte(n)}, 200)
	entries := []raftpb.Entry{{Term: 1, Index: 1, Data: data}}
	err := w.Append(raftpb.HardState{Term: 1, Commit: uint64(n)}, entries)
	if err != nil || caller > 0 {
		return err
	}
	switch n % 20 {
	case 5:
		return w.SaveSnapshot(Snapshot{Index: 1, Term: 1, ConfState: voters})
	case 10:
		return w.Sync()
	case 15:
		return w.Roll()
	}
	return w.Err()
}

// The real size: both packages fill two segments of 64 MB, and the bytes are the same.
func TestFullSegments(t *testing.T) {
	dir := t.TempDir()
	got, want := filepath.Join(dir, "got"), filepath.Join(dir, "want")
	ours, theirs := mustCreate(t, got, WriterOptions{}), mustCreateEtcd(t, want, raftpb.FlavorGogo)
	h := newHistorian(64)
	for size := int64(0); size < SegmentSize+SegmentSize/4; {
		var entries []raftpb.Entry
		for range 8 {
			h.last++
			entries = append(entries, raftpb.Entry{Term: 1, Index: h.last, Data: h.bytes(100_000)})
			size += 100_000
		}
		for _, w := range []logWriter{ours, theirs} {
			if err := w.Append(raftpb.HardState{Term: 1, Commit: h.last - 1}, entries); err != nil {
				t.Fatal(err)
			}
		}
	}
	mustClose(t, ours, theirs)
	if n := compareDirs(t, got, want); n != 2 {
		t.Errorf("%d segments, want 2", n)
	}
}

// In the steady state an append allocates nothing.
func TestAppendAllocatesNothing(t *testing.T) {
	w := mustCreate(t, filepath.Join(t.TempDir(), "wal"), WriterOptions{})
	entries := benchBatch(10, 128)
	state := raftpb.HardState{Term: 3, Vote: 1}
	allocs := testing.AllocsPerRun(200, func() {
		state.Commit++
		if err := w.Append(state, entries); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 0 {
		t.Errorf("%v allocations per append, want 0", allocs)
	}
	mustClose(t, w)
}
