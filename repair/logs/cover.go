package logs

import (
	"cmp"
	"slices"
	"sort"
)

// cover tells who gives a committed entry.
type cover struct {
	spans []*span // those of which something is committed, by first entry
	best  []*span // of the spans up to this one: the one that goes on furthest
}

// coverOf returns the cover of spans that come in the order of their logs' names.
func coverOf(spans []*span) (c cover) {
	for _, x := range spans {
		if x.upTo >= x.first {
			c.spans = append(c.spans, x)
		}
	}
	order := map[*span]int{}
	for i, x := range c.spans {
		order[x] = i
	}
	slices.SortStableFunc(c.spans, func(a, b *span) int { return cmp.Compare(a.first, b.first) })
	for i, x := range c.spans {
		if i > 0 {
			if b := c.best[i-1]; !x.before(b) && (b.before(x) || order[b] < order[x]) {
				x = b
			}
		}
		c.best = append(c.best, x)
	}
	return c
}

// before reports whether a span is to be taken rather than another one, whatever their names: it goes on
// further, or as far and nothing is wrong with its log.
func (x *span) before(y *span) bool {
	if x.upTo != y.upTo {
		return x.upTo > y.upTo
	}
	return x.source.View.Sound && !y.source.View.Sound
}

// behind returns how many spans begin at an index or before it.
func (c *cover) behind(index uint64) int {
	return sort.Search(len(c.spans), func(i int) bool { return c.spans[i].first > index })
}

// at returns the span that gives an entry and goes on furthest; of several, that of a log with which
// nothing is wrong, and the first by name. It is nil if there is none.
func (c *cover) at(index uint64) *span {
	if n := c.behind(index); n > 0 && c.best[n-1].upTo >= index {
		return c.best[n-1]
	}
	return nil
}

// gapEnd returns the last of the entries from an index on that no span gives, at most limit. There is none
// that gives the first.
func (c *cover) gapEnd(index, limit uint64) uint64 {
	if n := c.behind(index); n < len(c.spans) {
		return min(limit, c.spans[n].first-1)
	}
	return limit
}
