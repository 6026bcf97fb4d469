package raft

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/raftctl/raftctl/raftpb"
)

// storeAt returns a storage with a snapshot at index 3 of term 3 and entries 4 to 6 of terms 4, 5,
// 6.
func storeAt(t *testing.T) *MemoryStorage {
	t.Helper()
	s := NewMemoryStorage()
	voters := raftpb.ConfState{Voters: []uint64{1}}
	meta := raftpb.SnapshotMetadata{Index: 3, Term: 3, ConfState: voters}
	must(t, s.ApplySnapshot(raftpb.Snapshot{Metadata: meta}))
	must(t, s.Append(run(4, 4, 5, 6)))
	return s
}

func TestMemoryStorageEntries(t *testing.T) {
	size := EntrySize(&raftpb.Entry{Term: 4, Index: 4})
	tests := []struct {
		lo, hi, limit uint64
		want          []raftpb.Entry
		err           error
	}{
		{3, 5, NoLimit, nil, ErrCompacted},
		{2, 5, NoLimit, nil, ErrCompacted},
		{4, 5, NoLimit, run(4, 4), nil},
		{4, 7, NoLimit, run(4, 4, 5, 6), nil},
		{4, 8, NoLimit, nil, ErrUnavailable},
		{6, 5, NoLimit, nil, ErrUnavailable},
		{4, 7, 0, run(4, 4), nil},
		{4, 7, size, run(4, 4), nil},
		{4, 7, 2*size - 1, run(4, 4), nil},
		{4, 7, 2 * size, run(4, 4, 5), nil},
		{4, 7, 3 * size, run(4, 4, 5, 6), nil},
	}
	for _, test := range tests {
		got, err := storeAt(t).Entries(test.lo, test.hi, test.limit)
		if !errors.Is(err, test.err) {
			t.Errorf("[%d,%d) limited to %d: error %v, want %v",
				test.lo, test.hi, test.limit, err, test.err)
		}
		if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("[%d,%d) limited to %d (-want +got):\n%s", test.lo, test.hi, test.limit, diff)
		}
	}
	if _, err := NewMemoryStorage().Entries(1, 1, NoLimit); !errors.Is(err, ErrUnavailable) {
		t.Errorf("entries of an empty storage: error %v, want ErrUnavailable", err)
	}
}

func TestMemoryStorageAppend(t *testing.T) {
	tests := []struct {
		name    string
		entries []raftpb.Entry
		want    []raftpb.Entry // from index 4
		err     error
	}{
		{"nothing", nil, run(4, 4, 5, 6), nil},
		{"at the end", run(7, 6), run(4, 4, 5, 6, 6), nil},
		{"the same", run(4, 4, 5, 6), run(4, 4, 5, 6), nil},
		{"others", run(5, 7, 7, 7), run(4, 4, 7, 7, 7), nil},
		{"a shorter log", run(5, 7), run(4, 4, 7), nil},
		{"all compacted", run(2, 2, 3), run(4, 4, 5, 6), nil},
		{"partly compacted", run(2, 2, 3, 8), run(4, 8), nil},
		{"far below", run(1, 1), run(4, 4, 5, 6), nil},
		{"a hole", run(8, 8), run(4, 4, 5, 6), ErrUnavailable},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := storeAt(t)
			if err := s.Append(test.entries); !errors.Is(err, test.err) {
				t.Errorf("error %v, want %v", err, test.err)
			}
			last, err := s.LastIndex()
			must(t, err)
			got, err := s.Entries(4, last+1, NoLimit)
			must(t, err)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMemoryStorageCompact(t *testing.T) {
	tests := []struct {
		index       uint64
		err         error
		first, term uint64 // after it
	}{
		{2, ErrCompacted, 4, 3},
		{3, ErrCompacted, 4, 3},
		{4, nil, 5, 4},
		{6, nil, 7, 6},
		{7, ErrUnavailable, 4, 3},
	}
	for _, test := range tests {
		s := storeAt(t)
		if err := s.Compact(test.index); !errors.Is(err, test.err) {
			t.Errorf("compact to %d: error %v, want %v", test.index, err, test.err)
		}
		first, err := s.FirstIndex()
		must(t, err)
		term, err := s.Term(first - 1)
		must(t, err)
		if first != test.first || term != test.term {
			t.Errorf("compact to %d: first index %d after term %d, want %d after %d",
				test.index, first, term, test.first, test.term)
		}
	}
}

func TestMemoryStorageSnapshots(t *testing.T) {
	s := storeAt(t)
	cs := raftpb.ConfState{Voters: []uint64{1, 2}}
	if _, err := s.CreateSnapshot(3, &cs, nil); !errors.Is(err, ErrSnapOutOfDate) {
		t.Errorf("snapshot at the last one's index: %v, want ErrSnapOutOfDate", err)
	}
	if _, err := s.CreateSnapshot(7, &cs, nil); !errors.Is(err, ErrUnavailable) {
		t.Errorf("snapshot beyond the log: %v, want ErrUnavailable", err)
	}
	got, err := s.CreateSnapshot(5, &cs, []byte("x"))
	must(t, err)
	want := raftpb.Snapshot{
		Data:     []byte("x"),
		Metadata: raftpb.SnapshotMetadata{Index: 5, Term: 5, ConfState: cs},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("snapshot (-want +got):\n%s", diff)
	}
	if last, err := s.LastIndex(); err != nil || last != 6 {
		t.Errorf("last index %d, %v after a snapshot, want 6", last, err)
	}
	if _, err = s.CreateSnapshot(6, nil, nil); err != nil {
		t.Fatal(err)
	}
	if _, cs2, err := s.InitialState(); err != nil || !slices.Equal(cs2.Voters, cs.Voters) {
		t.Errorf("membership %v, %v, want that of the last snapshot", cs2, err)
	}
	old := raftpb.Snapshot{Metadata: raftpb.SnapshotMetadata{Index: 6, Term: 6}}
	if err := s.ApplySnapshot(old); !errors.Is(err, ErrSnapOutOfDate) {
		t.Errorf("applying a snapshot as old as the last: %v, want ErrSnapOutOfDate", err)
	}
	fresh := raftpb.Snapshot{Metadata: raftpb.SnapshotMetadata{Index: 20, Term: 9}}
	must(t, s.ApplySnapshot(fresh))
	first, _ := s.FirstIndex()
	last, _ := s.LastIndex()
	if first != 21 || last != 20 {
		t.Errorf("after a snapshot at 20: first index %d, last %d, want 21 and 20", first, last)
	}
}

// TestMemoryStorageHandedOutEntriesStay keeps every slice that the storage handed out, over
// appends, overwrites and compactions.
func TestMemoryStorageHandedOutEntriesStay(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		s := NewMemoryStorage()
		var kept, copies [][]raftpb.Entry
		term := uint64(1)
		for range 60 {
			first, _ := s.FirstIndex()
			last, _ := s.LastIndex()
			switch r.IntN(5) {
			case 0:
				_ = s.Compact(first + r.Uint64N(3))
			case 1:
				term++
				must(t, s.Append(run(last+1-min(last, r.Uint64N(4)), term, term)))
			default:
				must(t, s.Append(run(last+1, term)))
			}
			first, _ = s.FirstIndex()
			last, _ = s.LastIndex()
			if first > last {
				continue
			}
			handed, err := s.Entries(first, last+1, NoLimit)
			must(t, err)
			kept, copies = append(kept, handed), append(copies, slices.Clone(handed))
		}
		checkUnchanged(t, copies, kept)
	}
}
