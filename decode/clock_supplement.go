package decode

import (
	"cmp"
	"slices"
	"time"
)

// loose are the kinds of clocks that say when something was, but not how soon it was written.
var loose = [...]ClockKind{ClockProcess, ClockObject, ClockEvent}

// narrow is how close bounds lie where loose clocks aren't asked.
const narrow = int64(time.Minute)

// supplement returns lower bounds by the loose clocks: what most of a kind bear out, and of a log of
// Kubernetes two of the kinds, since a wrong clock of one API server is all over the objects.
func (c *Clock) supplement(kubernetes bool) []mark {
	var claims []claim // whose weight is the number of the kind
	for i, kind := range loose {
		for _, l := range c.looseClaims(kind) {
			claims = append(claims, claim{index: l.index, at: l.at, weight: int32(i)})
		}
	}
	slices.SortStableFunc(claims, func(a, b claim) int { return cmp.Compare(a.index, b.index) })
	says := [len(loose)]int64{silent, silent, silent}
	var list []mark
	for _, l := range claims {
		says[l.weight] = max(says[l.weight], l.at)
		sorted := says
		slices.Sort(sorted[:])
		at := sorted[len(sorted)-1]
		if kubernetes {
			at = sorted[len(sorted)-2]
		}
		if at != silent && (len(list) == 0 || at > list[len(list)-1].at) {
			list = append(list, mark{l.index, at})
		}
	}
	return list
}

// looseClaims returns what most clocks of a kind bear out.
func (c *Clock) looseClaims(kind ClockKind) []claim {
	h := hearing{all: true}
	for _, e := range c.evidence {
		if c.clocks[e.clock].Kind == kind {
			h.order = append(h.order, testimony{e.from, e.early - tolerance, e.clock})
		}
	}
	claims := h.claims(len(c.clocks))
	most := int32(len(h.heard)+1) / 2
	return slices.DeleteFunc(claims, func(l claim) bool { return l.weight != most })
}

// addSupplement adds lower bounds where the others leave time open, unless they contradict these.
func (t *Times) addSupplement(marks []mark) {
	list := slices.DeleteFunc(marks, func(m mark) bool {
		lower, upper := t.bounds(m.index)
		known := lower != silent && upper != silent && upper-lower <= narrow
		return known || m.at <= lower || upper != silent && m.at > upper
	})
	list = append(list, t.lower...)
	slices.SortStableFunc(list, func(a, b mark) int { return cmp.Compare(a.index, b.index) })
	t.lower = list[:0]
	for _, m := range list {
		if n := len(t.lower); n == 0 || m.at > t.lower[n-1].at {
			t.lower = append(t.lower, m)
		}
	}
}
