package decode

import (
	"cmp"
	"slices"
	"sort"
	"time"
)

// Bounds are between which times something was; a zero time is a side on which nothing is known.
type Bounds struct{ NotBefore, NotAfter time.Time }

// Width returns how far the bounds lie apart; ok is false where one isn't known.
func (b Bounds) Width() (width time.Duration, ok bool) {
	if b.NotBefore.IsZero() || b.NotAfter.IsZero() {
		return 0, false
	}
	return b.NotAfter.Sub(b.NotBefore), true
}

// Times tells when the entries of a log were written, as far as they tell. It only answers.
type Times struct {
	first, last  uint64 // entries
	lower, upper []mark
	sources      []ClockSource
	outliers     []ClockOutlier
	disputed     bool
}

// mark is a bound of an entry; of a lower one also that of the entries behind it, of an upper one that of
// the entries before. Both index and time ascend.
type mark struct {
	index uint64
	at    int64
}

// tolerance is how far the clocks of a cluster may be from the true time, and still be right.
const tolerance = int64(time.Second)

// Times settles what was gathered. More may be added, and settled again.
func (c *Clock) Times() *Times {
	d := dispute{lower: c.lowerClaims(), upper: c.upperClaims()}
	d.settle()
	t := &Times{first: c.first, last: c.last, sources: c.heardSources()}
	t.lower, t.upper = lowerMarks(nil, d.lower), upperMarks(d.upper)
	t.disputed = d.open
	t.addSupplement(c.supplement(len(d.lower) > 0))
	t.findOutliers(c)
	return t
}

// fewestHosts is how many hosts must speak around an entry to be asked by themselves: where there are as
// many, one of them may be wrong.
const fewestHosts = 3

// lowerClaims returns what the clocks agree in of which each bounds time on both sides, and what hosts do
// by themselves: they speak more exactly than API servers.
func (c *Clock) lowerClaims() []claim {
	all, hosts := hearing{}, hearing{fewest: fewestHosts}
	for _, e := range c.evidence {
		said := testimony{e.from, e.early - tolerance, e.clock}
		switch kind := c.clocks[e.clock].Kind; {
		case kind == ClockHost:
			hosts.order = append(hosts.order, said)
			fallthrough
		case kind.bounded():
			all.order = append(all.order, said)
		}
	}
	return c.claims(&all, &hosts)
}

// upperClaims does so for upper bounds.
func (c *Clock) upperClaims() []claim {
	all, hosts := hearing{}, hearing{fewest: fewestHosts}
	for _, e := range c.evidence {
		if e.late == 0 {
			continue
		}
		said := testimony{e.to, -(e.late + tolerance), e.clock}
		if all.order = append(all.order, said); c.clocks[e.clock].Kind == ClockHost {
			hosts.order = append(hosts.order, said)
		}
	}
	for _, h := range [...]*hearing{&all, &hosts} {
		slices.SortStableFunc(h.order, func(a, b testimony) int { return cmp.Compare(b.index, a.index) })
	}
	list := c.claims(&all, &hosts)
	for i := range list {
		list[i].at = -list[i].at
	}
	return list
}

// claims returns what comes of hearings, in the order of the indexes.
func (c *Clock) claims(all, hosts *hearing) []claim {
	list := append(all.claims(len(c.clocks)), hosts.claims(len(c.clocks))...)
	slices.SortStableFunc(list, func(a, b claim) int { return cmp.Compare(a.index, b.index) })
	return list
}

// lowerMarks adds the bounds that were accepted, and rise.
func lowerMarks(list []mark, claims []claim) []mark {
	for _, c := range claims {
		if c.verdict == accepted && (len(list) == 0 || c.at > list[len(list)-1].at) {
			list = append(list, mark{c.index, c.at})
		}
	}
	return list
}

func upperMarks(claims []claim) []mark {
	var list []mark
	for _, c := range slices.Backward(claims) {
		if c.verdict == accepted && (len(list) == 0 || c.at < list[len(list)-1].at) {
			list = append(list, mark{c.index, c.at})
		}
	}
	slices.Reverse(list)
	return list
}

// bounds returns the bounds of an entry in Unix nanoseconds, silent where there is none.
func (t *Times) bounds(index uint64) (lower, upper int64) {
	lower, upper = silent, silent
	if i := t.lowerFrom(index + 1); i > 0 {
		lower = t.lower[i-1].at
	}
	if i := sort.Search(len(t.upper), func(i int) bool { return t.upper[i].index >= index }); i < len(t.upper) {
		upper = t.upper[i].at
	}
	return lower, upper
}

// lowerFrom returns which lower bound is the first at an index or behind it.
func (t *Times) lowerFrom(index uint64) int {
	return sort.Search(len(t.lower), func(i int) bool { return t.lower[i].index >= index })
}

// At returns when the entry at an index was written: when it got into its leader's log. No entry has
// bounds before those of an earlier one.
func (t *Times) At(index uint64) Bounds {
	lower, upper := t.bounds(index)
	return Bounds{timeOf(lower), timeOf(upper)}
}

func timeOf(at int64) time.Time {
	if at == silent {
		return time.Time{}
	}
	return time.Unix(0, at).UTC()
}

// Span returns when the first and the last entry were written that were added.
func (t *Times) Span() (first, last Bounds) {
	if t.first == 0 {
		return Bounds{}, Bounds{}
	}
	return t.At(t.first), t.At(t.last)
}

// Moment is a place in the log, found by time.
type Moment struct {
	// Index is the last entry that was surely written at or before the time, 0 if none was.
	Index uint64

	// Last is the last entry that may have been. Where it is Index, nothing is uncertain.
	Last uint64

	// Bounds are between which times the log was as it is with Index as its last entry. NotAfter is the time
	// that was asked for; NotBefore is the same where nothing is uncertain, and else the earliest time at
	// which the next entry may have been written.
	Bounds
}

// Before returns the last entry that was written at or before a time, and how exactly that is known; ok is
// false where no entry is known to have been written by then, though some may have been, or where nothing
// is known of a time up to which it could be the last. All of the log before Index was written by then, so
// whoever stops there has nothing that is later; what may be missing was written within Bounds.
func (t *Times) Before(at time.Time) (m Moment, ok bool) {
	when := at.UnixNano()
	if t.first == 0 || !plausible(when) {
		return Moment{}, false
	}
	m = Moment{Index: t.sure(when), Last: t.possible(when), Bounds: Bounds{at, at}}
	if m.Last <= m.Index {
		m.Last = m.Index
		return m, true
	}
	lower, _ := t.bounds(max(m.Index+1, t.first))
	m.NotBefore = timeOf(lower)
	return m, lower != silent
}

// sure returns the last entry whose upper bound is at or before a time, 0 if there is none.
func (t *Times) sure(when int64) uint64 {
	i := sort.Search(len(t.upper), func(i int) bool { return t.upper[i].at > when })
	if i == 0 {
		return 0
	}
	return t.upper[i-1].index
}

// possible returns the last entry whose lower bound is at or before a time, or unknown; 0 if there is none.
func (t *Times) possible(when int64) uint64 {
	i := sort.Search(len(t.lower), func(i int) bool { return t.lower[i].at > when })
	switch {
	case i == len(t.lower):
		return t.last
	case t.lower[i].index <= t.first:
		return 0
	}
	return t.lower[i].index - 1
}
