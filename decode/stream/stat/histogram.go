package stat

import (
	"maps"
	"math/bits"
	"time"
)

// fineBits is how many bits of a duration below its highest tell classes apart.
const fineBits = 4

// Histogram counts durations in classes that are a sixteenth of their lower end wide. The zero value is empty.
type Histogram struct {
	Count    int64
	Min, Max time.Duration
	classes  map[uint16]int64
}

// Add counts a duration. A negative one, as of a clock that was set back, counts as 0.
func (h *Histogram) Add(d time.Duration) {
	d = max(0, d)
	if h.classes == nil {
		h.classes, h.Min = map[uint16]int64{}, d
	}
	h.Count++
	h.Min, h.Max = min(h.Min, d), max(h.Max, d)
	h.classes[classOf(d)]++
}

// join adds what another one counted.
func (h *Histogram) join(o *Histogram) {
	if o.Count == 0 {
		return
	}
	if h.classes == nil {
		h.classes, h.Min = map[uint16]int64{}, o.Min
	}
	h.Count += o.Count
	h.Min, h.Max = min(h.Min, o.Min), max(h.Max, o.Max)
	for c, n := range o.classes {
		h.classes[c] += n
	}
}

// clone returns a copy.
func (h *Histogram) clone() Histogram {
	c := *h
	c.classes = maps.Clone(h.classes)
	return c
}

// classOf returns the class of a duration: those below 16 ns are classes of their own.
func classOf(d time.Duration) uint16 {
	high := bits.Len64(uint64(d)) - 1
	if high < fineBits {
		return uint16(d)
	}
	return uint16((high-fineBits+1)<<fineBits | int(uint64(d)>>(high-fineBits))&(1<<fineBits-1))
}

// highest returns the highest duration of a class.
func highest(class uint16) time.Duration {
	if class < 1<<fineBits {
		return time.Duration(class)
	}
	shift := class>>fineBits - 1
	return time.Duration((uint64(class&(1<<fineBits-1)|1<<fineBits)+1)<<shift - 1)
}

// maxClass is the class of the longest duration.
var maxClass = classOf(1<<63 - 1)

// Quantile returns the duration that a share of those counted does not exceed, 0.5 for the median: too high by a
// sixteenth at most. It is 0 for an empty histogram.
func (h *Histogram) Quantile(share float64) time.Duration {
	want := max(1, int64(share*float64(h.Count)+0.999999))
	sum := int64(0)
	for c := uint16(0); c <= maxClass && h.Count > 0; c++ {
		if sum += h.classes[c]; sum >= want {
			return min(highest(c), h.Max)
		}
	}
	return h.Max
}

// Counts returns how many durations fall between powers of two from Min to Max, the lowest first.
func (h *Histogram) Counts() []int64 {
	if h.Count == 0 {
		return nil
	}
	low, high := bits.Len64(uint64(h.Min)), bits.Len64(uint64(h.Max))
	counts := make([]int64, high-low+1)
	for c, n := range h.classes {
		counts[bits.Len64(uint64(highest(c)))-low] += n
	}
	return counts
}
