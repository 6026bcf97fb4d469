package decode

import (
	"math"
	"math/bits"
)

// verdict is what becomes of a claim.
type verdict uint8

const (
	pending  verdict = iota
	tried            // among those that are looked at
	refuted          // one of these, and contradicted
	accepted         // it bounds time
	rejected
)

// dispute settles claims that contradict each other: a lower bound above the upper bound of the same entry
// or of a later one. Those which more clocks bear out win, and of equal ones none does: the bounds are
// wider there, not guessed. Both lists are in the order of their indexes.
type dispute struct {
	lower, upper []claim
	open         bool // claims contradict each other, and nothing tells which are true
}

// settle gives every claim its verdict.
func (d *dispute) settle() {
	for rank := maxRank; rank > 0; rank-- {
		if !d.try(rank) {
			continue
		}
		d.refute(accepted)
		d.reject()
		d.refute(tried)
		d.open = d.reject() || d.open
		d.accept()
	}
}

// rank puts weights into few classes: from 8 on, those within a factor of two are equal.
func rank(weight int32) int {
	const exact = 8
	if weight < exact {
		return int(weight)
	}
	return exact + bits.Len32(uint32(weight)/exact)
}

const maxRank = 8 + 32

// each calls visit for all claims.
func (d *dispute) each(visit func(*claim)) {
	for _, list := range [...][]claim{d.lower, d.upper} {
		for i := range list {
			visit(&list[i])
		}
	}
}

// try picks the claims of a rank, and reports whether there are any.
func (d *dispute) try(want int) (found bool) {
	d.each(func(c *claim) {
		if rank(c.weight) == want {
			c.verdict, found = tried, true
		}
	})
	return found
}

// reject turns down the claims that are refuted, and reports whether there are any.
func (d *dispute) reject() (found bool) {
	d.each(func(c *claim) {
		if c.verdict == refuted {
			c.verdict, found = rejected, true
		}
	})
	return found
}

func (d *dispute) accept() {
	d.each(func(c *claim) {
		if c.verdict == tried {
			c.verdict = accepted
		}
	})
}

// refute marks the claims under trial that contradict one with that verdict. Those that are marked still
// count as being under trial, so that of two which contradict each other both are.
func (d *dispute) refute(by verdict) {
	counts := func(c *claim) bool { return c.verdict == by || by == tried && c.verdict == refuted }
	latest, i := int64(math.MinInt64), 0 // of the lower bounds up to an entry
	for j := range d.upper {
		u := &d.upper[j]
		for ; i < len(d.lower) && d.lower[i].index <= u.index; i++ {
			if counts(&d.lower[i]) {
				latest = max(latest, d.lower[i].at)
			}
		}
		if u.verdict == tried && latest > u.at {
			u.verdict = refuted
		}
	}
	earliest, i := int64(math.MaxInt64), len(d.upper)-1 // of the upper bounds from an entry on
	for j := len(d.lower) - 1; j >= 0; j-- {
		l := &d.lower[j]
		for ; i >= 0 && d.upper[i].index >= l.index; i-- {
			if counts(&d.upper[i]) {
				earliest = min(earliest, d.upper[i].at)
			}
		}
		if l.verdict == tried && earliest < l.at {
			l.verdict = refuted
		}
	}
}
