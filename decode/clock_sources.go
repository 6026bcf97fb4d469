package decode

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// String names the clock for people. Nothing in it can act on a terminal.
func (s ClockSource) String() string {
	name := string(appendVisible(nil, []byte(s.Name), summaryKey))
	switch s.Kind {
	case ClockHost:
		return name
	case ClockAPIServer:
		return "API server at member …" + name
	case ClockSync:
		return "leader …" + name
	case ClockProcess:
		return "start of member …" + name
	case ClockEvent:
		return "events of " + name
	}
	return "changes of objects"
}

// ClockOutlier is a clock that was wrong.
type ClockOutlier struct {
	ClockSource
	Off         time.Duration // by how much at most: ahead of the true time, or behind it if below 0
	First, Last uint64        // the entries in which it was
}

// Sources returns the clocks that the log tells of, those that spoke most first.
func (t *Times) Sources() []ClockSource { return t.sources }

// Outliers returns the clocks that were wrong, as others agree, by how far they were off. What they said
// then bounds nothing. Off is taken from the middle of what is known of the true time.
func (t *Times) Outliers() []ClockOutlier { return t.outliers }

// Disputed reports whether clocks contradict each other, or one itself, and nothing tells which is right.
// The bounds are wider there, or unknown.
func (t *Times) Disputed() bool { return t.disputed }

func (c *Clock) heardSources() []ClockSource {
	list := slices.Clone(c.clocks)
	slices.SortFunc(list, func(a, b ClockSource) int {
		return cmp.Or(cmp.Compare(b.Entries, a.Entries), cmp.Compare(a.Kind, b.Kind), strings.Compare(a.Name, b.Name))
	})
	return list
}

// findOutliers looks at all evidence with the bounds that were settled.
func (t *Times) findOutliers(c *Clock) {
	found := make(map[int32]*ClockOutlier)
	for _, e := range c.evidence {
		off, index := t.off(&e)
		if off == 0 {
			continue
		}
		o := found[e.clock]
		if o == nil {
			o = &ClockOutlier{ClockSource: c.clocks[e.clock], First: index}
			found[e.clock] = o
		}
		o.Last = max(o.Last, index)
		if off.Abs() > o.Off.Abs() {
			o.Off = off
		}
	}
	for _, o := range found {
		t.outliers = append(t.outliers, *o)
	}
	slices.SortFunc(t.outliers, func(a, b ClockOutlier) int {
		return cmp.Or(cmp.Compare(b.Off.Abs(), a.Off.Abs()), cmp.Compare(a.Kind, b.Kind), strings.Compare(a.Name, b.Name))
	})
}

// off returns by how much a clock was wrong, 0 if it may have been right, and in which entry.
func (t *Times) off(e *evidence) (off time.Duration, index uint64) {
	if lower, upper := t.bounds(e.from); upper != silent && e.early-tolerance > upper {
		return time.Duration(e.early - middle(lower, upper)), e.from
	}
	if lower, upper := t.bounds(e.to); e.late != 0 && lower != silent && e.late+tolerance < lower {
		return time.Duration(e.early - middle(lower, upper)), e.to
	}
	return 0, 0
}

// middle returns what lies between two bounds; where one isn't known, the other.
func middle(lower, upper int64) int64 {
	switch {
	case lower == silent:
		return upper
	case upper == silent:
		return lower
	}
	return lower + (upper-lower)/2
}
