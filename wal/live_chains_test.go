package wal

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

// history is what a log under test holds: where each entry's record lies.
type history struct {
	b    *logBuilder
	offs []int // of the frame of entry i+first
	ids  []raftpb.EntryID

	commit uint64 // by the last hard state
}

// growing returns the builder of a log that goes on behind an index, as a purged one does.
func growing(rng *rand.Rand, after, term uint64, n int) *history {
	h := &history{b: newLogBuilder(raftpb.FlavorGogo)}
	h.b.index = after
	if after > 0 {
		h.b.add(KindSnapshot, (&Snapshot{
			Index: after, Term: term, ConfState: &raftpb.ConfState{Voters: []uint64{1}},
		}).AppendTo(nil, raftpb.FlavorGogo))
	}
	for range n {
		if rng.IntN(60) == 0 {
			term++
		}
		value := make([]byte, 1+rng.IntN(120))
		for i := range value {
			value[i] = byte(1 + rng.IntN(255))
		}
		h.offs = append(h.offs, len(h.b.tail().b))
		h.b.entry(term, value)
		h.ids = append(h.ids, raftpb.EntryID{Term: term, Index: h.b.index})
		if rng.IntN(3) > 0 {
			h.b.state(term, h.b.index)
			h.commit = h.b.index
		}
	}
	return h
}

// TestSpliced writes frames of another log over a stretch of a log, anywhere. Whatever they say, the
// entries of the log that they don't touch stay live, and none of theirs is; nor do they commit
// anything.
func TestSpliced(t *testing.T) {
	for seed := range uint64(2000) {
		rng := rand.New(rand.NewPCG(seed, 7))
		own := growing(rng, 0, 2, 150)
		other := growing(rng, uint64(rng.IntN(300)), 1+uint64(rng.IntN(4)), 150)
		mine, theirs := own.b.tail(), other.b.tail()
		from := 4 + rng.IntN(len(theirs.frames)-40)
		to := from + 3 + rng.IntN(12)
		piece := theirs.b[theirs.frames[from]:theirs.frames[to]]
		at := mine.frames[10+rng.IntN(len(mine.frames)-60)]
		end := at + len(piece)
		if own.near(at, other, theirs.frames[from]) {
			continue // nothing would tell the two apart
		}
		file := slices.Clone(mine.b)
		copy(file[at:], piece)
		checkSplice(t, fmt.Sprintf("seed %d: bytes %d to %d", seed, at, end), own, map[string][]byte{
			mine.name.String(): append(file, make([]byte, 4096)...),
		}, at, end)
		if t.Failed() {
			return
		}
	}
}

// near reports whether the entries at an offset have nearly the indexes of those at an offset of
// another log.
func (h *history) near(off int, other *history, otherOff int) bool {
	const far = 30
	i, _ := slices.BinarySearch(h.offs, off)
	k, _ := slices.BinarySearch(other.offs, otherOff)
	a, b := h.ids[min(i, len(h.ids)-1)].Index, other.ids[min(k, len(other.ids)-1)].Index
	return a < b+far && b < a+far
}

func checkSplice(t *testing.T, name string, own *history, log map[string][]byte, at, end int) {
	t.Helper()
	segment := own.b.tail().name.String()
	live := liveRecords(t, log)
	for pos, id := range live {
		if off := int(pos.Off); off >= at && off < end {
			t.Errorf("%s: entry %v of another log at %d is live", name, id, off)
		}
	}
	for i, off := range own.offs {
		next := len(own.b.tail().b)
		if i+1 < len(own.offs) {
			next = own.offs[i+1]
		}
		touched := off < end && next > at
		if got := live[Position{segment, int64(off)}]; !touched && got != own.ids[i] {
			t.Errorf("%s: entry %v at %d is not live", name, own.ids[i], off)
		}
	}
	r := verifyMap(t, log, VerifyOptions{})
	if last := own.ids[len(own.ids)-1]; r.Last != last || r.Commit() != own.commit {
		t.Errorf("%s: last entry %v, commit %d, want %v, %d", name, r.Last, r.Commit(), last, own.commit)
	}
}

// TestForeignChain damages logs so that records lie behind damage that continue no checksum. The key
// says where they come from.
func TestForeignChain(t *testing.T) {
	tests := map[string]struct {
		wreck   func(w *wreck)
		foreign bool
		ranges  string
		commit  uint64
	}{
		"own records between two damages": {func(w *wreck) {
			w.zero(0, w.segs[0].frames[frameEntry2], w.segs[0].frames[frameEntry3])
			w.zero(0, w.segs[0].frames[frameEntry5], w.segs[0].frames[frameEntry6])
		}, false, "1..1 4..4 7..16", 15},
		"own records between a damage and a damaged head": {func(w *wreck) {
			w.zero(0, w.segs[0].frames[frameEntry2], w.segs[0].frames[frameEntry3])
			w.zero(1, 0, w.segs[1].frames[7])
		}, false, "1..1 4..8 12..16", 15},
		"own records behind old ones at a segment's head": {func(w *wreck) {
			b := w.segs[0].b
			copy(w.file(1), b[w.segs[0].frames[frameEntry3]+8:w.segs[0].frames[frameEntry6]])
		}, true, "1..8 15..16", 15},
		"own records behind the last damage": {func(w *wreck) {
			w.zero(1, w.segs[1].frames[5], w.segs[1].frames[7])
		}, false, "1..9 12..16", 15},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWreck(2, 4096)
			tt.wreck(w)
			r := verifyMap(t, maps.Clone(w.files), VerifyOptions{})
			found := slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Class == ClassForeign })
			if got := rangesText(r.Ranges); found != tt.foreign || got != tt.ranges || r.Commit() != tt.commit {
				t.Errorf("foreign %v, ranges %s, commit %d, want %v, %s, %d\n%s",
					found, got, r.Commit(), tt.foreign, tt.ranges, tt.commit, findingLines(r))
			}
		})
	}
}
