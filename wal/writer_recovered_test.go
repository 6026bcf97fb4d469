package wal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/internal/vfs/faultfs"
	"github.com/raftctl/raftctl/raftpb"
)

// idsOf names entries by term and index.
func idsOf(entries []raftpb.Entry) string {
	var ids []raftpb.EntryID
	for i := range entries {
		ids = append(ids, entries[i].ID())
	}
	return fmt.Sprint(ids)
}

// stage is what writeStages writes at a time: a run of entries with a hard state, or a snapshot.
type stage struct {
	term, first, last uint64
	snapshot          raftpb.EntryID
	commit            uint64
}

func writeStages(t *testing.T, fsys vfs.FS, dir string, steps []stage) {
	t.Helper()
	w, err := Create(fsys, dir, CreateOptions{Metadata: builtMetadata, WriterOptions: faultOptions})
	check(t, err)
	for _, s := range steps {
		if s.snapshot.Index > 0 {
			check(t, w.SaveSnapshot(Snapshot{Index: s.snapshot.Index, Term: s.snapshot.Term, ConfState: voters}))
			continue
		}
		var entries []raftpb.Entry
		for i := s.first; i <= s.last; i++ {
			data := fmt.Appendf(nil, "%d/%d %0600d", s.term, i, i)
			entries = append(entries, raftpb.Entry{Term: s.term, Index: i, Data: data})
		}
		check(t, w.Append(raftpb.HardState{Term: s.term, Vote: 1, Commit: s.commit}, entries))
	}
	mustClose(t, w)
}

// What a member recovers is what is live: no entry that a later one overwrote, also where that one lies
// below the snapshot that the member starts from, and none that a snapshot from the leader replaced.
// Etcd's own reader brings such entries back.
func TestRecoveredHasNoGhosts(t *testing.T) {
	id := func(term, index uint64) raftpb.EntryID { return raftpb.EntryID{Term: term, Index: index} }
	for what, c := range map[string]struct {
		steps []stage
		at    raftpb.EntryID
		want  []raftpb.EntryID
		err   error
	}{
		"plain": {[]stage{{1, 1, 3, id(0, 0), 2}}, id(0, 0), []raftpb.EntryID{id(1, 1), id(1, 2), id(1, 3)}, nil},
		"overwritten": {[]stage{{1, 1, 4, id(0, 0), 2}, {2, 3, 3, id(0, 0), 2}}, id(0, 0),
			[]raftpb.EntryID{id(1, 1), id(1, 2), id(2, 3)}, nil},
		"overwritten below the snapshot": {
			[]stage{{1, 1, 5, id(0, 0), 1}, {2, 3, 4, id(0, 0), 4}, {snapshot: id(2, 4)}}, id(2, 4), nil, nil},
		"overwritten below, and on": {
			[]stage{{1, 1, 5, id(0, 0), 1}, {2, 3, 4, id(0, 0), 4}, {snapshot: id(2, 4)}, {2, 5, 6, id(0, 0), 4}},
			id(2, 4), []raftpb.EntryID{id(2, 5), id(2, 6)}, nil},
		"snapshot from the leader over a stale end": {
			[]stage{{1, 1, 9, id(0, 0), 2}, {snapshot: id(3, 6)}, {3, 7, 7, id(0, 0), 6}},
			id(3, 6), []raftpb.EntryID{id(3, 7)}, nil},
		"snapshot from the leader over a stale end, and nothing yet": {
			[]stage{{1, 1, 9, id(0, 0), 2}, {snapshot: id(3, 6)}}, id(3, 6), nil, nil},
		"snapshot from the leader ahead": {
			[]stage{{1, 1, 3, id(0, 0), 2}, {snapshot: id(3, 20)}, {3, 21, 22, id(0, 0), 20}},
			id(3, 20), []raftpb.EntryID{id(3, 21), id(3, 22)}, nil},
		"from before such a snapshot": {
			[]stage{{1, 1, 3, id(0, 0), 2}, {snapshot: id(3, 20)}, {3, 21, 22, id(0, 0), 20}},
			id(0, 0), nil, ErrGap},
		"snapshot taken here": {
			[]stage{{1, 1, 5, id(0, 0), 4}, {snapshot: id(1, 3)}, {1, 6, 6, id(0, 0), 5}},
			id(1, 3), []raftpb.EntryID{id(1, 4), id(1, 5), id(1, 6)}, nil},
	} {
		fsys := newFaultFS(t)
		writeStages(t, fsys, faultDir, c.steps)
		w, r, err := OpenForAppend(fsys, faultDir, AppendOptions{At: c.at, WriterOptions: faultOptions})
		if !errors.Is(err, c.err) {
			t.Errorf("%s: got %v, want %v", what, err, c.err)
		}
		if err != nil {
			continue
		}
		if got, want := idsOf(r.Entries), fmt.Sprint(c.want); got != want {
			t.Errorf("%s: entries %s, want %s", what, got, want)
		}
		for i := range r.Entries {
			e := &r.Entries[i]
			if want := fmt.Sprintf("%d/%d %0600d", e.Term, e.Index, e.Index); string(e.Data) != want {
				t.Errorf("%s: entry %v holds %.20q", what, e.ID(), e.Data)
			}
		}
		if r.Metadata != builtMetadata || r.Snapshot.ID() != c.at || r.Torn.Len != 0 {
			t.Errorf("%s: recovered %v, snapshot %v, torn %v", what, r.Metadata, r.Snapshot, r.Torn)
		}
		last := c.steps[len(c.steps)-1]
		if last.term > 0 && (r.State != raftpb.HardState{Term: last.term, Vote: 1, Commit: last.commit}) {
			t.Errorf("%s: state %v", what, r.State)
		}
		mustClose(t, w)
	}
}

// What is recovered of the logs of real etcds is what View says is live, from the beginning and from
// the newest snapshot.
func TestRecoveredIsTheView(t *testing.T) {
	for _, name := range []string{"c36-multiseg-1n-clean", "c34-1n-clean", "chain-1n-after37", "c36-fnc-1n-clean"} {
		dir := filepath.Join(corpus.Copy(t, name), "member", "wal")
		log := openDir(t, dir)
		v, err := log.View(t.Context())
		check(t, err)
		starts := []raftpb.EntryID{{}}
		if s := v.NewestSnapshot(); s != nil {
			starts = append(starts, s.EntryID)
		}
		for _, at := range starts {
			if at.Index == 0 && v.First.Index > 1 {
				continue
			}
			var want []raftpb.EntryID
			for e, err := range v.Entries(at.Index + 1) {
				check(t, err)
				want = append(want, e.ID())
			}
			w, r, err := OpenForAppend(vfs.OS, dir, AppendOptions{At: at})
			if err != nil {
				t.Errorf("%s at %v: %v", name, at, err)
				continue
			}
			if got := idsOf(r.Entries); got != fmt.Sprint(want) || r.State != v.State || r.Metadata != v.Metadata {
				t.Errorf("%s at %v: state %v, entries %.200s, want %v and %.200s", name, at, r.State, got,
					v.State, fmt.Sprint(want))
			}
			mustClose(t, w)
		}
	}
}

// NoEntries holds none, and minds no gap.
func TestNoEntries(t *testing.T) {
	fsys := newFaultFS(t)
	writeStages(t, fsys, faultDir, []stage{{1, 1, 3, raftpb.EntryID{}, 2},
		{snapshot: raftpb.EntryID{Term: 3, Index: 20}}, {3, 21, 22, raftpb.EntryID{}, 20}})
	w, r, err := OpenForAppend(fsys, faultDir, AppendOptions{NoEntries: true, WriterOptions: faultOptions})
	check(t, err)
	if len(r.Entries) != 0 || r.State.Commit != 20 || w.Last() != 22 {
		t.Errorf("entries %s, state %v, last %d", idsOf(r.Entries), r.State, w.Last())
	}
	mustClose(t, w)
}

// A torn end is told, and its length.
func TestRecoveredTorn(t *testing.T) {
	fsys, o := newFaultFS(t), faultOptions
	o.segmentSize = 1 << 16
	w, err := Create(fsys, faultDir, CreateOptions{Metadata: builtMetadata, WriterOptions: o})
	check(t, err)
	fill(t, w, 1, 3)
	mustClose(t, w)
	name := SegmentName{}.String()
	var size int64
	corruptFile(t, fsys, filepath.Join(faultDir, name), func(b []byte) {
		end := len(b) - 1
		for b[end] == 0 {
			end--
		}
		size = int64(end - 40)
		clear(b[end-40:])
		b[end-41] = 1 // the last byte of what was written
	})
	w, r, err := OpenForAppend(fsys, faultDir, AppendOptions{CutTorn: true, WriterOptions: o})
	check(t, err)
	if r.Torn.At.Segment != name || r.Torn.Len != alignUp(size, frameAlign)-r.Torn.At.Off || len(r.Entries) != 2 {
		t.Errorf("torn %v, want up to %d; entries %s", r.Torn, size, idsOf(r.Entries))
	}
	mustClose(t, w)
}

// ends returns where the records of a log end, with what was live then.
func ends(t *testing.T, fsys vfs.FS) (all []Position, kinds []Kind) {
	t.Helper()
	log, err := Open(vfs.DirFS(fsys, faultDir), ".")
	check(t, err)
	defer log.Close()
	for rec, err := range log.Records(Recover) {
		check(t, err)
		all = append(all, Position{rec.Pos.Segment, rec.Pos.Off + rec.Len})
		kinds = append(kinds, rec.Kind)
	}
	return all, kinds
}

func writeSegments(t *testing.T) *faultfs.FS {
	t.Helper()
	fsys := newFaultFS(t)
	writeStages(t, fsys, faultDir, []stage{{1, 1, 9, raftpb.EntryID{}, 5}, {1, 10, 15, raftpb.EntryID{}, 9},
		{1, 16, 22, raftpb.EntryID{}, 15}, {1, 23, 24, raftpb.EntryID{}, 22}})
	return fsys
}

// The log can be ended behind every record but those of a segment's head, and goes on from there; and
// nowhere else.
func TestCutAfter(t *testing.T) {
	all, kinds := ends(t, writeSegments(t))
	if n := len(listSegments(t, writeSegments(t), faultDir)); n < 3 || len(all) < 30 {
		t.Fatalf("%d segments with %d records, want several", n, len(all))
	}
	for i, end := range all {
		fsys := writeSegments(t)
		o := AppendOptions{CutAfter: end, WriterOptions: faultOptions}
		w, r, err := OpenForAppend(fsys, faultDir, o)
		head := kinds[i] == KindCRC || kinds[i] == KindMetadata && i == 1
		if head != errors.Is(err, ErrNotBoundary) {
			t.Errorf("%v, behind record %d (%v): %v", end, i, kinds[i], err)
		}
		if err != nil {
			continue
		}
		left, _ := ends(t, fsys)
		if !slices.Equal(left, all[:i+1]) {
			t.Errorf("%v: %d records are left, want %d", end, len(left), i+1)
		}
		next := w.Last() + 1
		if n := len(r.Entries); n > 0 && r.Entries[n-1].Index != next-1 {
			t.Errorf("%v: recovered up to %d, the writer goes on at %d", end, r.Entries[n-1].Index, next)
		}
		check(t, w.Append(raftpb.HardState{Term: 2, Vote: 1, Commit: min(5, next)},
			[]raftpb.Entry{{Term: 2, Index: next, Data: []byte("new")}}))
		mustClose(t, w)
		after, again, err := OpenForAppend(fsys, faultDir, AppendOptions{WriterOptions: faultOptions})
		check(t, err)
		if last := again.Entries[len(again.Entries)-1]; last.Index != next || string(last.Data) != "new" {
			t.Errorf("%v: the last entry is %v, want %d", end, last.ID(), next)
		}
		mustClose(t, after)
	}
	for what, at := range map[string]Position{
		"within a record":     {all[10].Segment, all[10].Off + 8},
		"behind the end":      {all[len(all)-1].Segment, 1 << 30},
		"the beginning":       {all[0].Segment, 0},
		"in no segment":       {"x.wal", all[10].Off},
		"before the snapshot": {all[0].Segment, all[1].Off},
	} {
		fsys := writeSegments(t)
		ops := fsys.Ops()
		_, _, err := OpenForAppend(fsys, faultDir, AppendOptions{CutAfter: at, WriterOptions: faultOptions})
		if !errors.Is(err, ErrNotBoundary) {
			t.Errorf("%s: got %v, want ErrNotBoundary", what, err)
		}
		if left, _ := ends(t, fsys); !slices.Equal(left, all) {
			t.Errorf("%s: the log was changed (%d operations)", what, fsys.Ops()-ops)
		}
		if held := fsys.Locked(); len(held) > 0 {
			t.Errorf("%s: locked after the refusal: %v", what, held)
		}
	}
}

// What lies behind the place may be damaged; what lies before it may not.
func TestCutAfterDamage(t *testing.T) {
	all, _ := ends(t, writeSegments(t))
	at := all[17]
	for _, c := range []struct {
		record int
		ok     bool
	}{{12, false}, {24, true}} {
		fsys := writeSegments(t)
		corruptFile(t, fsys, filepath.Join(faultDir, all[c.record].Segment), func(b []byte) {
			b[all[c.record].Off-20] ^= 1
		})
		o := AppendOptions{CutAfter: at, CutTorn: true, WriterOptions: faultOptions}
		w, _, err := OpenForAppend(fsys, faultDir, o)
		if (err == nil) != c.ok {
			t.Errorf("damage in record %d, cut after record 17: %v", c.record, err)
		}
		if err == nil {
			mustClose(t, w)
		}
	}
}

// Whatever operation of a cut, or of the append behind it, fails, and however the machine goes down
// then: what is left is the log, up to the place or some record behind it, or up to the place and on
// with what was appended.
func TestCutAfterCrash(t *testing.T) {
	all, _ := ends(t, writeSegments(t))
	const keep = 9
	o := AppendOptions{CutAfter: all[keep-1], WriterOptions: faultOptions}
	for i := 0; ; i++ {
		fsys := writeSegments(t)
		stop, failed := fsys.Ops()+i, false
		fsys.Watch(func(op faultfs.Op) error {
			if op.N < stop {
				return nil
			}
			failed = true
			return faultfs.ErrInjected
		})
		w, _, err := OpenForAppend(fsys, faultDir, o)
		if err == nil {
			e := []raftpb.Entry{{Term: 9, Index: w.Last() + 1, Data: make([]byte, 100)}}
			_ = w.Append(raftpb.HardState{}, e) // what they report was injected
			_ = w.Close()
		}
		for name, c := range crashes(uint64(i)) {
			if err := checkCut(fsys.Crash(c), all, keep); err != nil {
				t.Errorf("failed from operation %d on, crash with %s: %v", i, name, err)
			}
		}
		if !failed {
			if i < 5 {
				t.Errorf("a cut takes %d operations, want several", i)
			}
			return
		}
	}
}

// checkCut checks what is left of a log that was to be cut after its first records.
func checkCut(fsys vfs.FS, all []Position, keep int) error {
	var left []Position
	appended := false
	o := AppendOptions{CutTorn: true, WriterOptions: faultOptions}
	o.Replay = func(rec *Record) error {
		appended = appended || rec.ID.Term == 9
		if !appended {
			left = append(left, Position{rec.Pos.Segment, rec.Pos.Off + rec.Len})
		}
		return nil
	}
	w, _, err := OpenForAppend(fsys, faultDir, o)
	if err != nil {
		return err
	}
	if n := len(left); n < keep || appended && n > keep || !slices.Equal(left, all[:min(n, len(all))]) {
		return fmt.Errorf("%d records left, appended %v: %s", n, appended, cmp.Diff(all, left))
	}
	return w.Close()
}

// What was cut off doesn't come back in a crash, behind records that were written since.
func TestCutAfterIsDurable(t *testing.T) {
	fsys, o := newFaultFS(t), WriterOptions{segmentSize: 1 << 20, inline: true}
	w, err := Create(fsys, faultDir, CreateOptions{Metadata: builtMetadata, WriterOptions: o})
	check(t, err)
	add := func(w *Writer, first, last uint64, b byte) {
		for i := first; i <= last; i++ {
			e := []raftpb.Entry{{Term: 1, Index: i, Data: bytes.Repeat([]byte{b}, 5000)}}
			check(t, w.Append(raftpb.HardState{}, e))
		}
	}
	const before, after = 0xaa, 0x55
	add(w, 1, 1, after)
	check(t, w.Sync())
	at := Position{SegmentName{}.String(), w.Size()}
	add(w, 2, 100, before)
	mustClose(t, w)
	o.NoSync = true
	w, _, err = OpenForAppend(fsys, faultDir, AppendOptions{CutAfter: at, WriterOptions: o})
	check(t, err)
	add(w, 2, 40, after) // more than is buffered: some of it is written
	for name, c := range crashes(1) {
		b, err := fs.ReadFile(vfs.DirFS(fsys.Crash(c), faultDir), at.Segment)
		check(t, err)
		if i := bytes.Index(b, bytes.Repeat([]byte{before}, 16)); i >= 0 {
			t.Errorf("crash with %s: what was cut off is back at %d", name, i)
		}
	}
	mustClose(t, w)
}
