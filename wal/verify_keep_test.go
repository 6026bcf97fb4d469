package wal

import (
	"bytes"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

// Verify keeps the entries that it is asked to, in the order of the log, as long as they are few.
func TestVerifyKeep(t *testing.T) {
	b := buildLog(raftpb.FlavorGogo, 3)
	all := func([]byte) bool { return true }
	r := verifyMap(t, b.files(512), VerifyOptions{Keep: all, KeepFrom: 5, Parallel: 3})
	index := uint64(4)
	next := func(index uint64) uint64 { // entries without data, the first of each term, aren't kept
		if index++; index%8 == 1 {
			index++
		}
		return index
	}
	for _, k := range r.Kept {
		var e raftpb.Entry
		if err := e.Unmarshal(k.Data); err != nil || e.Index != next(index) || !r.View.Live(k.Pos, e.Index) {
			t.Errorf("%v: entry %v behind %d, %v", k.Pos, e.ID(), index, err)
		}
		index = e.Index
	}
	if index != b.index || !r.KeptAll {
		t.Errorf("the last one kept is %d of %d, all: %v", index, b.index, r.KeptAll)
	}
	for range 5 {
		b.entry(4, bytes.Repeat([]byte{1}, 1<<20))
	}
	if r = verifyMap(t, b.files(512), VerifyOptions{Keep: all}); r.KeptAll {
		t.Errorf("%d entries of some MiB are kept", len(r.Kept))
	}
}
