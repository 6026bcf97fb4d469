package wal

import (
	"cmp"
	"maps"
	"slices"
)

// Severity tells how much a finding matters.
type Severity string

// The severities. One error makes a log's verdict a problem; warnings and infos don't.
const (
	SeverityError   Severity = "error"   // no etcd writes this, or etcd would misread it
	SeverityWarning Severity = "warning" // odd, but nothing is lost by it
	SeverityInfo    Severity = "info"    // worth knowing
)

// Finding is one thing that Verify has to say about a log.
type Finding struct {
	Class    Class
	Severity Severity
	Pos      Position
	Detail   string // one line: what was found, and what was expected
}

// Verdicts beside those that a single pass over the records can give.
const (
	ClassCommittedOverwritten Class = "committed_overwritten"  // an entry replaces a committed one
	ClassVoteChange           Class = "vote_change"            // two votes in one term
	ClassSnapshotConflict     Class = "snapshot_conflict"      // a snapshot's term isn't its entry's
	ClassSnapshotBeyond       Class = "snapshot_beyond_commit" // etcd ignores it
	ClassRecordOrder          Class = "record_order"           // a record where no writer puts it
	ClassEtcdStart            Class = "etcd_start"             // etcd doesn't start on it as it is
	ClassShortTail            Class = "short_tail"             // the last segment has no space ahead
	ClassIgnored              Class = "ignored_file"           // a file that is no segment
	ClassUnchecked            Class = "unchecked"              // something could not be checked
)

// maxFindings is how many findings of one class are kept: enough to see a pattern, little enough
// for a report on a log that is damaged in every record.
const maxFindings = 100

// findings collects findings, up to maxFindings of each class, and counts the others. It keeps
// those with the lowest places, whatever the order they are added in.
type findings struct {
	kept map[Class][]placed
	more map[Class]int
	bad  bool // some finding is an error
}

type placed struct {
	at place
	Finding
}

func (f *findings) add(at place, c Class, s Severity, detail string) {
	f.insert(placed{at, Finding{Class: c, Severity: s, Detail: detail}})
}

func (f *findings) insert(p placed) {
	if f.kept == nil {
		f.kept, f.more = map[Class][]placed{}, map[Class]int{}
	}
	f.bad = f.bad || p.Severity == SeverityError
	list := f.kept[p.Class]
	i, _ := slices.BinarySearchFunc(list, p, comparePlaced)
	switch {
	case len(list) < maxFindings:
		list = slices.Insert(list, i, p)
	case i < maxFindings:
		copy(list[i+1:], list[i:])
		list[i] = p
		f.more[p.Class]++
	default:
		f.more[p.Class]++
	}
	f.kept[p.Class] = list
}

// merge takes over the findings of another collection.
func (f *findings) merge(g *findings) {
	for _, list := range g.kept {
		for _, p := range list {
			f.insert(p)
		}
	}
	f.bad = f.bad || g.bad
	for c, n := range g.more {
		if f.more == nil {
			f.kept, f.more = map[Class][]placed{}, map[Class]int{}
		}
		f.more[c] += n
	}
}

// sorted returns the findings in reading order, with the names of their segments filled in.
func (f *findings) sorted(segs []Segment) []Finding {
	var all []placed
	for _, list := range f.kept {
		all = append(all, list...)
	}
	slices.SortFunc(all, comparePlaced)
	out := make([]Finding, len(all))
	for i, p := range all {
		out[i] = p.Finding
		if out[i].Pos.Segment == "" && p.at.seg < len(segs) {
			out[i].Pos = Position{Segment: segs[p.at.seg].File, Off: p.at.off}
		}
	}
	return out
}

func (f *findings) omitted() map[Class]int { return maps.Clone(f.more) }

func comparePlaced(a, b placed) int {
	return cmp.Or(a.at.compare(b.at), cmp.Compare(a.Class, b.Class),
		cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Detail, b.Detail))
}
