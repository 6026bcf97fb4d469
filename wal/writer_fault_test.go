package wal

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/internal/vfs/faultfs"
	"github.com/raftctl/raftctl/raftpb"
)

// faultDir is where the logs of these tests lie.
const faultDir = "data/wal"

var faultOptions = WriterOptions{segmentSize: 4096, inline: true}

// ledger knows what was appended to a log, record by record, and how much of it was acknowledged.
type ledger struct {
	w         *Writer
	attempted []string
	acked     int
}

func (l *ledger) note(k Kind, data []byte) {
	l.attempted = append(l.attempted, fmt.Sprintf("%v %x", k, data))
}

// done takes in the result of a call that promises durability, or not.
func (l *ledger) done(durable bool, err error) error {
	if err == nil && durable {
		l.acked = len(l.attempted)
	}
	return err
}

func (l *ledger) append(state raftpb.HardState, entries []raftpb.Entry) error {
	for _, e := range entries {
		l.note(KindEntry, e.Marshal(raftpb.FlavorGogo))
	}
	if !state.IsEmpty() {
		l.note(KindState, state.Marshal(raftpb.FlavorGogo))
	}
	return l.done(len(entries) > 0, l.w.Append(state, entries))
}

func (l *ledger) snapshot(s Snapshot) error {
	l.note(KindSnapshot, s.AppendTo(nil, raftpb.FlavorGogo))
	return l.done(true, l.w.SaveSnapshot(s))
}

// live is a short life of a log: creation, cuts, overwrites, a snapshot, a restart, a purge.
func (l *ledger) live(fsys vfs.FS) (err error) {
	l.note(KindSnapshot, (&Snapshot{}).AppendTo(nil, raftpb.FlavorGogo))
	if l.w, err = Create(fsys, faultDir, CreateOptions{WriterOptions: faultOptions}); err != nil {
		return err
	}
	l.acked = len(l.attempted)
	index := uint64(0)
	for i := range 12 {
		if err := l.round(uint64(i), &index); err != nil {
			return errors.Join(err, l.w.Close())
		}
		if i != 6 {
			continue
		}
		if err := l.done(true, l.w.Close()); err != nil {
			return err
		}
		l.w, _, err = OpenForAppend(fsys, faultDir, AppendOptions{WriterOptions: faultOptions})
		if err != nil {
			return err
		}
	}
	return l.done(true, l.w.Close())
}

// round appends a few entries, the last of which the next round overwrites, and what goes with
// them.
func (l *ledger) round(i uint64, index *uint64) error {
	var entries []raftpb.Entry
	for j := range 3 {
		*index++
		data := slices.Repeat([]byte{byte(i + 1), byte(j + 1)}, 60*int(i))
		entries = append(entries, raftpb.Entry{Term: i + 1, Index: *index, Data: data})
	}
	*index--
	state := raftpb.HardState{Term: i + 1, Vote: 1, Commit: *index}
	if err := l.append(state, entries); err != nil {
		return err
	}
	if i%4 == 3 {
		s := Snapshot{Index: *index, Term: i + 1, ConfState: &raftpb.ConfState{Voters: []uint64{1}}}
		if err := l.snapshot(s); err != nil {
			return err
		}
	}
	state.Commit++
	return l.append(state, nil)
}

// check opens what is left of the log, and compares.
func (l *ledger) check(fsys vfs.FS) error {
	var got []string
	at := AppendOptions{CutTorn: true, WriterOptions: faultOptions, Replay: noteRecords(&got)}
	w, _, err := OpenForAppend(fsys, faultDir, at)
	if errors.Is(err, fs.ErrNotExist) && l.acked == 0 {
		w, err = Create(fsys, faultDir, CreateOptions{WriterOptions: faultOptions})
		got = nil
	}
	if err != nil {
		return fmt.Errorf("open again: %w", err)
	}
	if n := len(got); n < l.acked || n > len(l.attempted) || !slices.Equal(got, l.attempted[:n]) {
		return fmt.Errorf("%d records, want the first %d to %d of those appended",
			len(got), l.acked, len(l.attempted))
	}
	next := w.Last() + 1
	if err := w.Append(raftpb.HardState{}, []raftpb.Entry{{Term: 99, Index: next}}); err != nil {
		return fmt.Errorf("append to what is left: %w", err)
	}
	return w.Close()
}

// noteRecords notes the records of a log, but not those that a segment's head repeats.
func noteRecords(to *[]string) func(*Record) error {
	before := KindEntry
	return func(rec *Record) error {
		repeated := rec.Kind == KindState && before == KindMetadata
		if before = rec.Kind; rec.Kind != KindCRC && rec.Kind != KindMetadata && !repeated {
			*to = append(*to, fmt.Sprintf("%v %x", rec.Kind, rec.Data))
		}
		return nil
	}
}

// crashes are the ways in which a power cut can end it.
func crashes(seed uint64) map[string]faultfs.Crash {
	all := map[string]faultfs.Crash{"nothing kept": {}, "everything kept": {Keep: 1}}
	for _, unit := range []int64{512, 4096} {
		for _, keep := range []float64{0.1, 0.3, 0.5, 0.7, 0.9} {
			name := fmt.Sprintf("%v of the blocks of %d kept", keep, unit)
			rng := rand.New(rand.NewPCG(seed, uint64(len(all))))
			all[name] = faultfs.Crash{Keep: keep, Unit: unit, Rand: rng}
		}
	}
	return all
}

func newFaultFS(tb testing.TB) *faultfs.FS {
	tb.Helper()
	fsys := faultfs.New()
	for _, err := range []error{fsys.MkdirAll("data", 0o700), fsys.SyncDir(".")} {
		if err != nil {
			tb.Fatal(err)
		}
	}
	return fsys
}

// faultOps returns how many operations the life of a log takes.
func faultOps(tb testing.TB) (first, end int) {
	tb.Helper()
	fsys := newFaultFS(tb)
	first = fsys.Ops()
	l := new(ledger)
	if err := l.live(fsys); err != nil {
		tb.Fatal(err)
	}
	end = fsys.Ops()
	if err := l.check(fsys); err != nil {
		tb.Fatal(err)
	}
	if l.acked != len(l.attempted) || l.acked < 50 {
		tb.Fatalf("%d of %d records acknowledged, want all of 50 or more", l.acked, len(l.attempted))
	}
	return first, end
}

// Whatever operation fails: it is reported, or it did not matter; nothing that was acknowledged is
// lost, neither then nor if the machine goes down; and the log can be opened again.
func TestEveryOperationFails(t *testing.T) {
	first, end := faultOps(t)
	absorbed := map[faultfs.Kind]int{}
	for i := first; i < end; i++ {
		fsys, l := newFaultFS(t), new(ledger)
		var failed faultfs.Op
		fsys.Watch(func(op faultfs.Op) error {
			if op.N != i {
				return nil
			}
			failed = op
			return faultfs.ErrInjected
		})
		err := l.live(fsys)
		if err != nil && !errors.Is(err, faultfs.ErrInjected) {
			t.Errorf("%v: got error %v, want the injected one", failed, err)
		}
		if err == nil {
			absorbed[failed.Kind]++
		}
		if held := fsys.Locked(); len(held) > 0 {
			t.Errorf("%v: still locked: %v", failed, held)
		}
		for name, c := range crashes(uint64(i)) {
			if err := l.check(fsys.Crash(c)); err != nil {
				t.Errorf("%v, then a crash with %s: %v", failed, name, err)
			}
		}
		if err := l.check(fsys); err != nil {
			t.Errorf("%v: %v", failed, err)
		}
	}
	for _, k := range []faultfs.Kind{faultfs.OpWrite, faultfs.OpSync, faultfs.OpTruncate} {
		if absorbed[k] > 0 {
			t.Errorf("%d operations of kind %s failed and nobody was told", absorbed[k], k)
		}
	}
}

// Whenever the machine goes down, before any operation, nothing that was acknowledged is lost.
func TestCrashAnywhere(t *testing.T) {
	first, end := faultOps(t)
	for i := first; i <= end; i++ {
		fsys, l := newFaultFS(t), new(ledger)
		fsys.Watch(func(op faultfs.Op) error {
			if op.N >= i {
				return faultfs.ErrInjected
			}
			return nil
		})
		if err := l.live(fsys); (err == nil) != (i == end) {
			t.Fatalf("crash at operation %d of %d: error %v", i, end, err)
		}
		for name, c := range crashes(uint64(i)) {
			if err := l.check(fsys.Crash(c)); err != nil {
				t.Errorf("crash ahead of operation %d with %s: %v", i, name, err)
			}
		}
	}
}

// After a failed write or sync, the writer answers everything with that error, even if the disk
// works again.
func TestFailureIsFinal(t *testing.T) {
	for _, kind := range []faultfs.Kind{faultfs.OpWrite, faultfs.OpSync} {
		fsys := newFaultFS(t)
		w, err := Create(fsys, faultDir, CreateOptions{WriterOptions: faultOptions})
		if err != nil {
			t.Fatal(err)
		}
		fsys.Watch(func(op faultfs.Op) error {
			if op.Kind == kind {
				return syscall.EIO
			}
			return nil
		})
		entries := []raftpb.Entry{{Term: 1, Index: 1, Data: []byte("x")}}
		first := w.Append(raftpb.HardState{}, entries)
		if !errors.Is(first, syscall.EIO) {
			t.Fatalf("%s fails: got %v, want EIO", kind, first)
		}
		fsys.Watch(nil)
		entries[0].Index = 2
		later := map[string]error{
			"Append":       w.Append(raftpb.HardState{}, entries),
			"SaveSnapshot": w.SaveSnapshot(Snapshot{}),
			"AppendRecord": w.AppendRecord(KindState, nil),
			"Sync":         w.Sync(),
			"Cut":          w.Roll(),
			"Err":          w.Err(),
			"Close":        w.Close(),
		}
		for call, err := range later {
			if !errors.Is(err, first) {
				t.Errorf("%s failed; later %s: got %v, want %v", kind, call, err, first)
			}
		}
	}
}

// A disk that runs full ends the writing with ENOSPC, not before it must, and what was acknowledged
// stays.
func TestDiskFull(t *testing.T) {
	for space := int64(4096); space < 14_000; space += 500 {
		fsys, l := newFaultFS(t), new(ledger)
		fsys.SetSpace(space)
		if err := l.live(fsys); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("space %d: got %v, want ENOSPC", space, err)
		}
		if l.acked == 0 {
			t.Errorf("space %d: nothing could be written", space)
		}
		fsys.SetSpace(1 << 20)
		if err := l.check(fsys); err != nil {
			t.Errorf("space %d: %v", space, err)
		}
	}
}

// When there is room for the records but not for a whole segment ahead, appending goes on.
func TestPreparationFallsBack(t *testing.T) {
	fsys, l := newFaultFS(t), new(ledger)
	fsys.Watch(func(op faultfs.Op) error {
		if op.Kind == faultfs.OpAllocate && op.Name != faultDir+".tmp/"+(SegmentName{}).String() {
			return syscall.ENOSPC
		}
		return nil
	})
	if err := l.live(fsys); err != nil {
		t.Fatal(err)
	}
	if err := l.check(fsys); err != nil {
		t.Error(err)
	}
	if names, err := Etcd.segmentNames(fsys, faultDir); err != nil || len(names) < 3 {
		t.Errorf("segments %v (%v), want several", names, err)
	}
}

// Callers that append at the same time: each has what it was told, in its order, whenever the
// machine goes down.
func TestConcurrentCallersCrash(t *testing.T) {
	for run := range 60 {
		fsys := newFaultFS(t)
		w, err := Create(fsys, faultDir, CreateOptions{WriterOptions: WriterOptions{segmentSize: 4096}})
		if err != nil {
			t.Fatal(err)
		}
		stop := fsys.Ops() + 5 + run*3
		fsys.Watch(func(op faultfs.Op) error {
			if op.N >= stop {
				return faultfs.ErrInjected
			}
			return nil
		})
		acked := make([]int, 8)
		var wg sync.WaitGroup
		for caller := range acked {
			wg.Go(func() { acked[caller] = appendUntilError(w, caller) })
		}
		wg.Wait()
		if err := w.Close(); !errors.Is(err, faultfs.ErrInjected) {
			t.Errorf("close: %v, want the injected error", err)
		}
		for name, c := range crashes(uint64(run)) {
			err := checkCallers(fsys.Crash(c), acked)
			if err != nil {
				t.Errorf("crash at operation %d with %s: %v", stop, name, err)
			}
		}
	}
}

// appendUntilError appends entries that say whose and which they are, and returns how many were
// acknowledged.
func appendUntilError(w *Writer, caller int) int {
	for n := 0; ; n++ {
		data := make([]byte, 2, 50)
		data[0], data[1] = byte(caller), byte(n)
		e := []raftpb.Entry{{Term: 1, Index: 1, Data: data[:cap(data)]}}
		if w.Append(raftpb.HardState{}, e) != nil {
			return n
		}
	}
}

func checkCallers(fsys vfs.FS, acked []int) error {
	seen := make([]int, len(acked))
	o := AppendOptions{CutTorn: true, WriterOptions: faultOptions}
	o.Replay = func(rec *Record) error {
		var e raftpb.Entry
		if rec.Kind != KindEntry {
			return nil
		}
		if err := e.UnmarshalAlias(rec.Data); err != nil {
			return err
		}
		caller, n := e.Data[0], int(e.Data[1])
		if n != seen[caller] {
			return fmt.Errorf("caller %d: entry %d follows %d entries", caller, n, seen[caller])
		}
		seen[caller]++
		return nil
	}
	w, _, err := OpenForAppend(fsys, faultDir, o)
	// Records behind a missing sector prove themselves: the writer refuses to drop them.
	_, refused := errors.AsType[*LossError](err)
	if err != nil && !refused {
		return err
	}
	for caller, n := range acked {
		if seen[caller] < n || seen[caller] > n+1 {
			return fmt.Errorf("caller %d: %d entries, want %d or one more", caller, seen[caller], n)
		}
	}
	if refused {
		return nil
	}
	return w.Close()
}

// A commit index alone is not waited for, and becomes durable with the next thing that is.
func TestCommitAloneIsNotSynced(t *testing.T) {
	fsys := newFaultFS(t)
	w, err := Create(fsys, faultDir, CreateOptions{WriterOptions: faultOptions})
	if err != nil {
		t.Fatal(err)
	}
	entries := []raftpb.Entry{{Term: 1, Index: 1}}
	if err := w.Append(raftpb.HardState{Term: 1}, entries); err != nil {
		t.Fatal(err)
	}
	before := fsys.Ops()
	if err := w.Append(raftpb.HardState{Term: 1, Commit: 1}, nil); err != nil {
		t.Fatal(err)
	}
	if n := fsys.Ops() - before; n != 0 {
		t.Errorf("a commit index took %d operations, want none", n)
	}
	if got := lastState(t, fsys.Crash(faultfs.Crash{})); got.Commit != 0 {
		t.Errorf("commit on disk: %d, want 0", got.Commit)
	}
	before = fsys.Ops()
	if err := w.Sync(); err != nil {
		t.Fatal(err)
	}
	if n := fsys.Ops() - before; n != 2 {
		t.Errorf("Sync took %d operations, want a write and a sync", n)
	}
	if got := lastState(t, fsys.Crash(faultfs.Crash{})); got.Commit != 1 {
		t.Errorf("commit on disk after Sync: %d, want 1", got.Commit)
	}
}

func lastState(t *testing.T, fsys vfs.FS) (state raftpb.HardState) {
	t.Helper()
	log, err := Open(vfs.DirFS(fsys, faultDir), ".")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	for rec, err := range log.Records(Recover) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.Kind == KindState {
			if err := state.Unmarshal(rec.Data); err != nil {
				t.Fatal(err)
			}
		}
	}
	return state
}

// Every append is one write and one sync.
func TestOneWriteOneSync(t *testing.T) {
	fsys := newFaultFS(t)
	o := faultOptions
	o.segmentSize = 1 << 20
	w, err := Create(fsys, faultDir, CreateOptions{WriterOptions: o})
	if err != nil {
		t.Fatal(err)
	}
	var ops []faultfs.Kind
	fsys.Watch(func(op faultfs.Op) error {
		ops = append(ops, op.Kind)
		return nil
	})
	for i := range uint64(20) {
		e := []raftpb.Entry{{Term: 1, Index: 2*i + 1, Data: make([]byte, 300)}, {Term: 1, Index: 2*i + 2}}
		if err := w.Append(raftpb.HardState{Term: 1, Commit: i}, e); err != nil {
			t.Fatal(err)
		}
	}
	want := slices.Repeat([]faultfs.Kind{faultfs.OpWrite, faultfs.OpSync}, 20)
	if !slices.Equal(ops, want) {
		t.Errorf("operations %v, want %v", ops, want)
	}
	fsys.Watch(nil)
	mustClose(t, w)
}

// Create refuses a folder that holds anything, and removes nothing of it.
func TestCreateRefuses(t *testing.T) {
	for _, name := range []string{SegmentName{Seq: 3}.String(), "notes.txt", "lost+found"} {
		for _, dir := range []string{faultDir, faultDir + ".tmp"} {
			if dir != faultDir && name != "notes.txt" && name != "lost+found" {
				continue // what an earlier Create left is removed
			}
			fsys := newFaultFS(t)
			path := dir + "/" + name
			if err := fsys.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			f, err := fsys.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			mustClose(t, f)
			_, err = Create(fsys, faultDir, CreateOptions{WriterOptions: faultOptions})
			if !errors.Is(err, ErrExist) {
				t.Errorf("%s: got %v, want ErrExist", path, err)
			}
			if _, err := fsys.Stat(path); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
}
