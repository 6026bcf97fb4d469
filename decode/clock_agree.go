package decode

import (
	"math"
	"slices"
)

// claim says that the entry at index was written at a time or later, or at a time or earlier.
type claim struct {
	index uint64
	at    int64 // Unix nanoseconds

	// weight is how many clocks must be wrong for the claim to be.
	weight int32

	verdict verdict
}

// hearing asks clocks in the order of their evidence for a bound that most of them bear out: of n clocks
// that speak around an entry, that one which is no further than those of more than half of them, so that
// a bound is true where most clocks are right. It works on lower bounds; upper ones are negated, and come
// from the end of the log.
type hearing struct {
	order  []testimony
	all    bool // every clock counts as speaking from the beginning to the end
	fewest int  // nothing is claimed where fewer clocks speak

	says  []int64 // by clock: the last that it said, silent if nothing yet
	until []int   // by clock: where in the order it speaks last, as far as that is known
	heard []int32 // the clocks that speak around the current place
	sort  []int64
}

// testimony is evidence for a bound on one side.
type testimony struct {
	index uint64
	at    int64
	clock int32
}

const silent = math.MinInt64 + 1 // can be negated

// reach returns how much evidence before and after a place counts as being around it. Each clock says something once a second at most, and once in ten seconds at least.
func (h *hearing) reach() int {
	if h.all {
		return len(h.order)
	}
	return 16*len(h.heard) + 16
}

// claims returns what the clocks agree in.
func (h *hearing) claims(clocks int) []claim {
	h.says, h.until = make([]int64, clocks), make([]int, clocks)
	for i := range h.says {
		h.says[i], h.until[i] = silent, -1
	}
	var list []claim
	ahead, next := 0, 0
	for at, t := range h.order {
		for ; ahead < len(h.order) && ahead <= at+h.reach(); ahead++ {
			h.admit(ahead)
		}
		h.says[t.clock] = t.at
		if at < next && at != len(h.order)-1 {
			continue
		}
		h.dismiss(at)
		next = at + 1 + len(h.heard)/8 // so that many clocks cost no more than few
		list = h.agree(list, t.index)
	}
	return list
}

// admit takes in a clock that speaks at a place ahead.
func (h *hearing) admit(ahead int) {
	clock := h.order[ahead].clock
	if h.until[clock] < 0 {
		h.heard = append(h.heard, clock)
	}
	h.until[clock] = ahead
}

// dismiss leaves out the clocks that have spoken long ago.
func (h *hearing) dismiss(at int) {
	within := h.reach()
	h.heard = slices.DeleteFunc(h.heard, func(clock int32) bool {
		gone := h.until[clock]+within < at
		if gone {
			h.until[clock], h.says[clock] = -1, silent
		}
		return gone
	})
}

// agree appends what most of the clocks bear out, and where half of them may contradict the other half
// also what more than half do.
func (h *hearing) agree(list []claim, index uint64) []claim {
	n := len(h.heard)
	if n < h.fewest {
		return list
	}
	h.sort = h.sort[:0]
	for _, clock := range h.heard {
		h.sort = append(h.sort, -h.says[clock])
	}
	slices.Sort(h.sort)
	list = h.claim(list, index, (n-1)/2)
	if n%2 == 0 {
		list = h.claim(list, index, n/2)
	}
	return list
}

// claim appends what so many clocks may be wrong for, unless it is what is claimed already.
func (h *hearing) claim(list []claim, index uint64, wrong int) []claim {
	c := claim{index: index, at: -h.sort[wrong], weight: int32(wrong) + 1}
	if c.at == silent {
		return list
	}
	for i := max(len(list)-2, 0); i < len(list); i++ {
		if list[i].at == c.at && list[i].weight == c.weight {
			return list
		}
	}
	return append(list, c)
}
