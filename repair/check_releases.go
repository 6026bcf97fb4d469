package repair

import (
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/wal"
)

// spot is a place in a log, in the order of the bytes.
type spot struct {
	segment int
	off     int64
}

func (s spot) before(t spot) bool {
	return s.segment < t.segment || s.segment == t.segment && s.off < t.off
}

// spotOf returns the place of a position; ok is false if it isn't in the log.
func (x *examination) spotOf(p wal.Position) (s spot, ok bool) {
	i := slices.IndexFunc(x.Report.Segments, func(r wal.SegmentReport) bool { return r.File == p.Segment })
	return spot{i, p.Off}, i >= 0
}

// tellReleases says at each damage of the log what releases of etcd do about it. One that ends there, or cuts
// the log off, is told so at the first damage that it meets: behind that, it does not get.
func (x *examination) tellReleases() {
	if x.Report == nil {
		return
	}
	var damage []*Finding
	for i := range x.findings {
		f := &x.findings[i]
		if _, ok := x.spotOf(wal.Position{Segment: f.File}); ok && f.Check == CheckLog && f.Severity == verdict.Error {
			damage = append(damage, f)
		}
	}
	for _, o := range wal.FoldOutlooks(x.Report.Report.Outlooks) {
		met := x.firstMet(&o, damage)
		for i, f := range damage {
			f.Releases = append(f.Releases, releaseText(&o, i, met))
		}
	}
}

// firstMet returns which damage ends the reading of a release, or where it cuts: its place in the list, the
// length of the list if it is none of them, and -1 if the release reads on to the end.
func (x *examination) firstMet(o *wal.Outlook, damage []*Finding) int {
	at := o.At
	if o.Cut != nil {
		at = o.Cut
	}
	if at == nil {
		return -1
	}
	stop, _ := x.spotOf(*at)
	for i, f := range damage {
		if s, _ := x.spotOf(wal.Position{Segment: f.File, Off: f.Off + max(f.Len, 1)}); stop.before(s) {
			return i
		}
	}
	return len(damage)
}

// releaseText says what releases do about the i-th damage, where they meet none behind the one at met.
func releaseText(o *wal.Outlook, i, met int) string {
	name := "etcd " + o.Releases()
	refuses := o.Action == wal.ActionRefuses
	switch {
	case o.Action == wal.ActionUnknown:
		return name + ": what it does can't be told"
	case met < 0 && refuses:
		return fmt.Sprintf("%s reads on past it, and refuses in the end: %s", name, o.Error)
	case met < 0 && o.Action == wal.ActionMisreads:
		return o.String()
	case met < 0, i < met:
		return name + " reads on past it"
	case i > met:
		return name + ": not reached"
	}
	return o.String()
}
