package quorum

import (
	"math"
	"slices"
	"strconv"
)

// Index is a log index, or a position in any other sequence that voters acknowledge.
type Index uint64

// Unbounded is the index that a set without voters has acknowledged: it holds nobody back.
const Unbounded Index = math.MaxUint64

// String returns the index in decimal, ∞ for Unbounded.
func (i Index) String() string {
	if i == Unbounded {
		return "∞"
	}
	return strconv.FormatUint(uint64(i), 10)
}

// AckedIndexer tells how far a voter has acknowledged.
type AckedIndexer interface {
	// AckedIndex returns the highest index that the voter has acknowledged, and whether anything
	// was heard of it. A voter not heard of counts as index 0.
	AckedIndex(id uint64) (Index, bool)
}

// stackVoters is the number of voters up to which arithmetic needs no memory of the heap. Groups
// beyond seven voters are hardly ever run, and nine leaves room for a joint change.
const stackVoters = 9

// CommittedIndex returns the highest index that a majority of the set has acknowledged.
func (s Set) CommittedIndex(acked AckedIndexer) Index {
	if len(s) == 0 {
		return Unbounded
	}
	var stack [stackVoters]Index
	sorted := stack[:0]
	for _, id := range s {
		index, _ := acked.AckedIndex(id)
		sorted = append(sorted, index)
	}
	insertionSort(sorted)
	// With n voters ascending, the last n/2+1 of them are the quorum that acknowledged most.
	return sorted[len(sorted)-(len(sorted)/2+1)]
}

// insertionSort sorts the few indexes of a group; it beats the general sort at this size.
func insertionSort(s []Index) {
	if len(s) > stackVoters {
		slices.Sort(s)
		return
	}
	for i := 1; i < len(s); i++ {
		for j := i; j > 0 && s[j] < s[j-1]; j-- {
			s[j], s[j-1] = s[j-1], s[j]
		}
	}
}
