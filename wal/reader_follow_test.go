package wal

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	etcdwal "go.etcd.io/etcd/server/v3/storage/wal"
	etcdpb "go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap"

	"github.com/raftctl/raftctl/raftpb"
)

const followInterval = time.Second

// followed is a log that is being followed, in a synctest bubble.
type followed struct {
	t       *testing.T
	records chan seen
	errs    chan error
	stop    context.CancelFunc
}

// follow begins to follow the log in dir.
func follow(t *testing.T, dir string, from Position) *followed {
	t.Helper()
	l, err := Open(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	f := &followed{t: t, records: make(chan seen), errs: make(chan error, 1), stop: cancel}
	go func() {
		defer l.Close()
		for r, err := range l.Follow(ctx, from, followInterval) {
			if err != nil {
				f.errs <- err
				return
			}
			select {
			case f.records <- seen{*r, string(r.Data)}:
			case <-ctx.Done():
			}
		}
		f.errs <- nil
	}()
	return f
}

// idle returns what is read until nothing more comes.
func (f *followed) idle() []seen {
	f.t.Helper()
	var all []seen
	for {
		select {
		case r := <-f.records:
			all = append(all, r)
		case <-time.After(3 * followInterval): // the bubble's time: it passes when all wait
			return all
		case err := <-f.errs:
			f.t.Fatalf("following ended: %v", err)
		}
	}
}

func (f *followed) end(want error) {
	f.t.Helper()
	f.stop()
	if err := <-f.errs; !errors.Is(err, want) {
		f.t.Errorf("following ended with %v, want %v", err, want)
	}
}

func entriesOf(all []seen) []uint64 {
	var list []uint64
	for _, r := range all {
		if r.Kind == KindEntry {
			list = append(list, r.ID.Index)
		}
	}
	return list
}

// What etcd's own package writes arrives while it writes, over several segments, each record once
// and none but those.
func TestFollowEtcd(t *testing.T) {
	const segmentSize = 64 << 10
	setEtcdSegmentSize(t, segmentSize)
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "wal")
		w, err := etcdwal.Create(zap.NewNop(), dir, builtMetadata.AppendTo(nil))
		if err != nil {
			t.Fatal(err)
		}
		closeWriter := sync.OnceValue(w.Close)
		defer func() { _ = closeWriter() }() // checked below, unless the test has failed
		f := follow(t, dir, Position{})
		var got []seen
		index := uint64(0)
		for range 40 {
			check(t, saveEntries(w, &index, 12))
			got = append(got, f.idle()...)
			if n := uint64(len(entriesOf(got))); n != index {
				t.Fatalf("%d entries read, %d written", n, index)
			}
		}
		f.end(context.Canceled)
		if err := closeWriter(); err != nil {
			t.Fatal(err)
		}
		checkSameAsRecords(t, dir, got)
	})
}

// setEtcdSegmentSize makes etcd's package begin new segments early, for one test.
func setEtcdSegmentSize(t *testing.T, size int64) {
	t.Helper()
	before := etcdwal.SegmentSizeBytes
	etcdwal.SegmentSizeBytes = size
	t.Cleanup(func() { etcdwal.SegmentSizeBytes = before })
}

// saveEntries makes etcd's package write n entries and the hard state.
func saveEntries(w *etcdwal.WAL, index *uint64, n int) error {
	term, vote := uint64(2), builtMetadata.NodeID
	var list []*etcdpb.Entry
	for range n {
		*index++
		i := *index
		list = append(list, &etcdpb.Entry{Term: &term, Index: &i, Data: make([]byte, 100+i%700)})
	}
	commit := *index
	return w.Save(&etcdpb.HardState{Term: &term, Vote: &vote, Commit: &commit}, list)
}

// checkSameAsRecords checks that following a log gave what reading it afterwards gives.
func checkSameAsRecords(t *testing.T, dir string, got []seen) {
	t.Helper()
	l, err := Open(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if n := len(l.Segments()); n < 3 {
		t.Errorf("%d segments, want several", n)
	}
	same := func(a, b seen) bool { return a.Pos == b.Pos && a.Kind == b.Kind && a.data == b.data }
	if want := collect(t, l, Inspect); !slices.EqualFunc(got, want, same) {
		t.Errorf("followed %d records, want the %d that are there", len(got), len(want))
	}
}

// A frame that arrives in pieces, as one that a writer is writing does, is told when it is whole.
func TestFollowHalfWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := buildLog(raftpb.FlavorPbgo, 1)
		s := b.tail()
		dir := t.TempDir()
		file, err := os.Create(filepath.Join(dir, s.name.String()))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if err := file.Truncate(64 << 10); err != nil {
			t.Fatal(err)
		}
		f := follow(t, dir, Position{})
		for k, lo := range s.frames {
			hi := len(s.b)
			if k+1 < len(s.frames) {
				hi = s.frames[k+1]
			}
			for _, cut := range []int{lo + 4, lo + 8, lo + 9, (lo + hi) / 2, hi - 1} {
				writeAt(t, file, s.b[lo:cut], lo)
				whole := indexNonzero(s.b[cut:hi]) == hi-cut
				if got := f.idle(); len(got) > 0 && !whole {
					t.Fatalf("frame at %d, written up to %d: got %v record", lo, cut, got[0].Kind)
				} else if len(got) > 0 {
					break // what is missing is zero anyway
				}
			}
			writeAt(t, file, s.b[lo:hi], lo)
			f.idle()
		}
		// The last entry proves that none before it was passed over.
		b.entry(9, []byte("end"))
		writeAt(t, file, s.b, 0)
		if got := f.idle(); len(got) != 1 || got[0].ID != (raftpb.EntryID{Term: 9, Index: b.index}) {
			t.Errorf("got %v, want the last entry alone", got)
		}
		f.end(context.Canceled)
	})
}

func writeAt(t *testing.T, f *os.File, b []byte, off int) {
	t.Helper()
	if _, err := f.WriteAt(b, int64(off)); err != nil {
		t.Fatal(err)
	}
}

// Damage in the last segment is told as soon as intact records lie behind it, and at the latest
// when the next segment begins.
func TestFollowDamage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := buildLog(raftpb.FlavorGogo, 2)
		s := b.segs[0]
		dir := t.TempDir()
		path := filepath.Join(dir, s.name.String())
		damaged := slices.Clone(s.b)
		last := s.frames[len(s.frames)-1]
		damaged[last+20] ^= 1
		writeFile(t, path, damaged)
		f := follow(t, dir, Position{})
		if damages, _ := split(f.idle()); len(damages) != 0 {
			t.Fatalf("got %v before anything follows it", damages[0])
		}
		writeFile(t, filepath.Join(dir, b.segs[1].name.String()), b.segs[1].b)
		damages, records := split(f.idle())
		if len(damages) != 1 || damages[0].Pos.Off != int64(last) || damages[0].Class != ClassPayload {
			t.Errorf("got %v, want %s at %d", damages, ClassPayload, last)
		}
		if len(records) != len(b.segs[1].frames) {
			t.Errorf("%d records of the next segment, want %d", len(records), len(b.segs[1].frames))
		}
		f.end(context.Canceled)
	})
}

// writeFile makes a file appear with its content, as etcd makes its segments appear.
func writeFile(t *testing.T, path string, b []byte) {
	t.Helper()
	check(t, os.WriteFile(path+".part", b, 0o600))
	check(t, os.Rename(path+".part", path))
}

// Old segments that are removed behind the reader's back make no difference; those removed before
// it came to them are told as missing.
func TestFollowPurge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := buildLog(raftpb.FlavorPbgo, 5)
		dir := t.TempDir()
		path := func(i int) string { return filepath.Join(dir, b.segs[i].name.String()) }
		writeFile(t, path(0), b.segs[0].b)
		writeFile(t, path(1), b.segs[1].b)
		f := follow(t, dir, Position{})
		if damages, _ := split(f.idle()); len(damages) != 0 {
			t.Fatal(damages)
		}
		writeFile(t, path(2), b.segs[2].b)
		for i := range 2 {
			check(t, os.Remove(path(i)))
		}
		damages, records := split(f.idle())
		if len(damages) != 0 || len(records) != len(b.segs[2].frames) {
			t.Errorf("%d records and %v, want %d and no damage", len(records), damages, len(b.segs[2].frames))
		}
		writeFile(t, path(4), b.segs[4].b)
		damages, records = split(f.idle())
		if len(damages) != 1 || damages[0].Class != ClassMissingSegment || len(records) != len(b.segs[4].frames) {
			t.Errorf("%d records and %v, want one missing segment", len(records), damages)
		}
		f.end(context.Canceled)
	})
}

// From a position on, nothing before it is told, and its checksum is verified all the same.
func TestFollowFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := buildLog(raftpb.FlavorPbgo, 3)
		dir := t.TempDir()
		for _, s := range b.segs {
			writeFile(t, filepath.Join(dir, s.name.String()), s.b)
		}
		s := b.segs[1]
		from := Position{Segment: s.name.String(), Off: int64(s.frames[7])}
		f := follow(t, dir, from)
		got := f.idle()
		if want := len(s.frames) - 7 + len(b.segs[2].frames); len(got) != want || got[0].Pos != from {
			t.Errorf("%d records from %v on, want %d from %v", len(got), got[0].Pos, want, from)
		}
		for _, r := range got {
			if r.CRC != r.Sum {
				t.Errorf("%v: crc %08x, computed %08x", r.Pos, r.CRC, r.Sum)
			}
		}
		f.end(context.Canceled)
	})
}
