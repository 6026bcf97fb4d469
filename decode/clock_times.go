package decode

import (
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

// narrow is how close bounds lie where the start of a process isn't asked for.
const narrow = int64(time.Minute)

// Times settles what was gathered. More may be added, and settled again.
func (c *Clock) Times() *Times {
	d := dispute{lower: c.lowerClaims(), upper: c.upperClaims()}
	d.settle()
	t := &Times{first: c.first, last: c.last, sources: c.heardSources()}
	t.lower, t.upper = lowerMarks(nil, d.lower), upperMarks(d.upper)
	t.disputed = d.open
	t.addSupplement(c.supplement())
	t.findOutliers(c)
	return t
}

// lowerClaims returns what the clocks agree in of which each bounds time on both sides.
func (c *Clock) lowerClaims() []claim {
	h := hearing{}
	for _, e := range c.evidence {
		if c.clocks[e.clock].Kind.bounded() {
			h.order = append(h.order, testimony{e.from, e.early - tolerance, e.clock})
		}
	}
	return h.claims(len(c.clocks))
}

func (c *Clock) upperClaims() []claim {
	h := hearing{}
	for _, e := range c.evidence {
		if e.late != 0 {
			h.order = append(h.order, testimony{e.to, -(e.late + tolerance), e.clock})
		}
	}
	slices.SortStableFunc(h.order, func(a, b testimony) int { return compareUint(b.index, a.index) })
	claims := h.claims(len(c.clocks))
	slices.Reverse(claims)
	for i := range claims {
		claims[i].at = -claims[i].at
	}
	return claims
}

func compareUint(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// supplement returns lower bounds by the other clocks, which say when something was and not how soon it
// was written. Of three and more, two must have said as much.
func (c *Clock) supplement() []mark {
	top := latest{says: make([]int64, len(c.clocks))}
	clocks := 0
	for i := range c.clocks {
		top.says[i] = silent
		if !c.clocks[i].Kind.bounded() {
			clocks++
		}
	}
	top.find()
	var list []mark
	for _, e := range c.evidence {
		if c.clocks[e.clock].Kind.bounded() {
			continue
		}
		top.say(e.clock, e.early-tolerance)
		at := top.first
		if clocks > 2 {
			at = top.second
		}
		if at != silent && (len(list) == 0 || at > list[len(list)-1].at) {
			list = append(list, mark{e.from, at})
		}
	}
	return list
}

// latest knows the two latest of the times that clocks say.
type latest struct {
	says          []int64
	first, second int64
}

func (l *latest) say(clock int32, at int64) {
	before := l.says[clock]
	l.says[clock] = at
	switch {
	case before == l.first || before == l.second: // it may be one of the two
		l.find()
	case at > l.first:
		l.first, l.second = at, l.first
	case at > l.second:
		l.second = at
	}
}

func (l *latest) find() {
	l.first, l.second = silent, silent
	for _, t := range l.says {
		if t > l.first {
			l.first, l.second = t, l.first
		} else if t > l.second {
			l.second = t
		}
	}
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

// addSupplement adds lower bounds where the others leave time open. What contradicts them isn't true.
func (t *Times) addSupplement(marks []mark) {
	var list []mark
	for _, m := range marks {
		lower, upper := t.bounds(m.index)
		if lower != silent && upper != silent && upper-lower <= narrow || upper != silent && m.at > upper {
			continue
		}
		if m.at > lower {
			list = append(list, m)
		}
	}
	if len(list) == 0 {
		return
	}
	list = append(list, t.lower...)
	slices.SortStableFunc(list, func(a, b mark) int { return compareUint(a.index, b.index) })
	t.lower = list[:0]
	for _, m := range list {
		if n := len(t.lower); n == 0 || m.at > t.lower[n-1].at {
			t.lower = append(t.lower, m)
		}
	}
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
