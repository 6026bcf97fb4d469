package walcmd

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/cmd/raftctl/where/logrow"
	"github.com/raftctl/raftctl/decode"
)

// timeStat is when the entries were written, and what tells.
type timeStat struct {
	First     boundsStat    `json:"first"` // of the first entry
	Last      boundsStat    `json:"last"`
	Clocks    []clockStat   `json:"clocks"`     // all, those that spoke most first
	ThrownOut []outlierStat `json:"thrown_out"` // those that were wrong
	Disputed  bool          `json:"disputed"`   // clocks contradict each other, and nothing tells which is right

	first, last decode.Bounds
	outliers    []decode.ClockOutlier
	sources     []decode.ClockSource
}

// boundsStat has a side only where it is known.
type boundsStat struct {
	NotBefore string `json:"time_not_before,omitempty"`
	NotAfter  string `json:"time_not_after,omitempty"`
}

type clockStat struct {
	Kind    string `json:"kind"`
	Name    string `json:"name,omitempty"`
	Entries int64  `json:"entries"` // in which it spoke
}

type outlierStat struct {
	clockStat
	Ahead float64 `json:"ahead_seconds"` // below 0: behind
	First uint64  `json:"first_index"`
	Last  uint64  `json:"last_index"`
}

// addTimes adds what was found out of time. No list is nil: JSON has them all.
func (s *stat) addTimes(t *decode.Times) {
	x := timeStat{Clocks: []clockStat{}, ThrownOut: []outlierStat{}, Disputed: t.Disputed()}
	x.first, x.last = t.Span()
	x.First, x.Last = boundsOf(x.first), boundsOf(x.last)
	x.sources, x.outliers = t.Sources(), t.Outliers()
	for _, c := range x.sources {
		x.Clocks = append(x.Clocks, clockOf(c))
	}
	for _, o := range x.outliers {
		x.ThrownOut = append(x.ThrownOut, outlierStat{clockOf(o.ClockSource), o.Off.Round(time.Second).Seconds(), o.First, o.Last})
	}
	s.Time = x
}

func clockOf(c decode.ClockSource) clockStat { return clockStat{string(c.Kind), c.Name, c.Entries} }

func boundsOf(b decode.Bounds) (s boundsStat) {
	s.NotBefore, _ = logrow.NotBefore(b)
	s.NotAfter, _ = logrow.NotAfter(b)
	return s
}

// shownOutliers is how many clocks that were wrong are listed for people.
const shownOutliers = 5

// timeFacts says when the log was written.
func (s *stat) timeFacts(kv *ui.Facts) {
	x := &s.Time
	if len(x.sources) == 0 {
		return
	}
	kv.Add("written", "from %s", x.first)
	kv.Add("", "to   %s", x.last)
	kv.Add("clocks", "%s", x.kinds())
	for i, o := range x.outliers {
		if i == shownOutliers {
			kv.Add("", "%s more were wrong; -o json lists them", ui.Count(len(x.outliers)-i))
			break
		}
		kv.Add(nameOnce("wrong clock", i), "%s: %s in entries %d..%d", o, offText(o.Off), o.First, o.Last)
	}
	if x.Disputed {
		kv.Add("", "clocks contradict each other, and nothing tells which is right: times are less exact there")
	}
}

// nameOnce names the first of several facts.
func nameOnce(name string, i int) string {
	if i > 0 {
		return ""
	}
	return name
}

// offText says by how much a clock is off, in one unit.
func offText(off time.Duration) string {
	const day = 24 * time.Hour
	way, size := "ahead", off.Abs()
	if off < 0 {
		way = "behind"
	}
	n, unit := size.Round(time.Second)/time.Second, "s"
	switch {
	case size > 2*day:
		n, unit = size.Round(day)/day, "d"
	case size > 2*time.Hour:
		n, unit = size.Round(time.Hour)/time.Hour, "h"
	case size > 2*time.Minute:
		n, unit = size.Round(time.Minute)/time.Minute, "m"
	}
	return fmt.Sprintf("about %d%s %s", n, unit, way)
}

// kinds says how many clocks of each kind spoke.
func (x *timeStat) kinds() string {
	names := map[decode.ClockKind][2]string{
		decode.ClockHost:      {"host that renews leases", "hosts that renew leases"},
		decode.ClockAPIServer: {"API server that creates", "API servers that create"},
		decode.ClockSync:      {"leader that lets v2 keys expire", "leaders that let v2 keys expire"},
		decode.ClockProcess:   {"start of a member", "members' starts"},
		decode.ClockEvent:     {"host that reports events", "hosts that report events"},
		decode.ClockObject:    {"changes of objects", ""},
	}
	counts := map[decode.ClockKind]int{}
	var order []decode.ClockKind
	for _, c := range x.sources {
		if counts[c.Kind]++; !slices.Contains(order, c.Kind) {
			order = append(order, c.Kind)
		}
	}
	var parts []string
	for _, kind := range order {
		switch n := counts[kind]; {
		case kind == decode.ClockObject:
			parts = append(parts, names[kind][0])
		case n == 1:
			parts = append(parts, "1 "+names[kind][0])
		default:
			parts = append(parts, ui.Count(n)+" "+names[kind][1])
		}
	}
	return strings.Join(parts, ", ")
}
