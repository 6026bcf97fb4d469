package quorum

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// voterBar is one line of the picture that Describe draws.
type voterBar struct {
	id    uint64
	index Index
	heard bool
	rank  int // how many voters have acknowledged less
}

// Describe draws how far each voter has acknowledged, one line a voter, the bar's length being its
// rank. The form is that of etcd's raft.
func (s Set) Describe(acked AckedIndexer) string {
	if len(s) == 0 {
		return "<empty majority quorum>"
	}
	n := len(s)
	var b strings.Builder
	fmt.Fprintf(&b, "%s    idx\n", strings.Repeat(" ", n))
	for _, v := range rankVoters(s, acked) {
		bar := strings.Repeat("x", v.rank) + ">" + strings.Repeat(" ", n-v.rank)
		if !v.heard {
			bar = "?" + strings.Repeat(" ", n)
		}
		// %5d ignores the String method, so Unbounded shows as the number it is.
		fmt.Fprintf(&b, "%s %5d    (id=%x)\n", bar, v.index, v.id)
	}
	return b.String()
}

// rankVoters returns the voters by ID, ranked by index; equal indexes share a rank.
func rankVoters(s Set, acked AckedIndexer) []voterBar {
	bars := make([]voterBar, 0, len(s))
	for _, id := range s {
		index, heard := acked.AckedIndex(id)
		bars = append(bars, voterBar{id: id, index: index, heard: heard})
	}
	slices.SortStableFunc(bars, func(a, b voterBar) int { return cmp.Compare(a.index, b.index) })
	for i := 1; i < len(bars); i++ {
		bars[i].rank = bars[i-1].rank
		if bars[i-1].index < bars[i].index {
			bars[i].rank = i
		}
	}
	slices.SortFunc(bars, func(a, b voterBar) int { return cmp.Compare(a.id, b.id) })
	return bars
}

// Describe draws the voters of both halves, see [Set.Describe].
func (j Joint) Describe(acked AckedIndexer) string { return j.IDs().Describe(acked) }
