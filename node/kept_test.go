package node

import (
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

// TestKeptInBytes applies entries of 100 MiB each in place of small ones: no more than maxKeptBytes stay in memory
// though so few entries would.
func TestKeptInBytes(t *testing.T) {
	m, err := newMemory(raftpb.EntryID{}, raftpb.EntryID{}, raftpb.ConfState{Voters: []uint64{1}})
	if err != nil {
		t.Fatal(err)
	}
	large := make([]byte, 100<<20)
	const keep, least = 5000, 100
	for i := uint64(1); i <= 20; i++ {
		entries := []raftpb.Entry{{Term: 1, Index: i, Data: large}}
		if err := m.Append(entries); err != nil {
			t.Fatal(err)
		}
		m.kept.add(entries)
		if err := m.dropBefore(i, keep, least); err != nil {
			t.Fatal(err)
		}
		first, err := m.FirstIndex()
		if err != nil || first != max(i, 2)-1 {
			t.Errorf("after entry %d the log begins at %d, %v", i, first, err)
		}
	}
	if len(m.kept.batches) != 2 || m.kept.size != 200<<20 {
		t.Errorf("%d batches of %d bytes are counted", len(m.kept.batches), m.kept.size)
	}
}

// TestKeptInNumber drops small entries by their number.
func TestKeptInNumber(t *testing.T) {
	m, err := newMemory(raftpb.EntryID{}, raftpb.EntryID{}, raftpb.ConfState{Voters: []uint64{1}})
	if err != nil {
		t.Fatal(err)
	}
	for i := uint64(1); i <= 250; i++ {
		entries := []raftpb.Entry{{Term: 1, Index: i, Data: make([]byte, 10)}}
		if err := m.Append(entries); err != nil {
			t.Fatal(err)
		}
		m.kept.add(entries)
		if err := m.dropBefore(i, 20, 100); err != nil {
			t.Fatal(err)
		}
	}
	first, err := m.FirstIndex()
	if err != nil || first != 203 || len(m.kept.batches) != 48 || m.kept.size != 480 {
		t.Errorf("the log begins at %d, %v, and %d bytes are counted", first, err, m.kept.size)
	}
}
