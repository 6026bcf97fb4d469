package wal

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/raftctl/raftctl/raftpb"
)

// Finding is one thing that is not as a healthy etcd leaves it. Verify lists findings, and a
// record of KindDamage carries one.
type Finding struct {
	Class    Class
	Severity Severity
	Pos      Position // of the first byte that is wrong, or of the record that it is about
	Len      int64    // bytes that are wrong or can't be read; 0 if none are

	// Before and After are the last entry before and the first entry after the place, in the order
	// of the bytes. Zero: there is none, or it could not be told.
	Before, After raftpb.EntryID

	Evidence string // one line: what was found, what was expected, and what proves it
}

// String returns position, class and evidence on one line.
func (f *Finding) String() string { return fmt.Sprintf("%v: %s: %s", f.Pos, f.Class, f.Evidence) }

// Err returns the finding as an error: one that is ErrTorn for a torn end, else a *CorruptError.
func (f *Finding) Err() error {
	if f.Class == ClassTorn {
		return fmt.Errorf("%v: %w: %s", f.Pos, ErrTorn, f.Evidence)
	}
	return &CorruptError{File: f.Pos.Segment, Off: f.Pos.Off, Err: errors.New(f.Evidence)}
}

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

// add adds a finding of the class's own severity.
func (f *findings) add(at place, c Class, evidence string) {
	f.addAs(at, severities[c], c, evidence)
}

func (f *findings) addAs(at place, s Severity, c Class, evidence string) {
	f.insert(placed{at, Finding{Class: c, Severity: s, Evidence: evidence}})
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

// extend adds to the evidence of the first finding of a class at a place. ok is false if there is
// none, or it was left out.
func (f *findings) extend(at place, c Class, text string) (ok bool) {
	for i := range f.kept[c] {
		if p := &f.kept[c][i]; p.at == at {
			p.Evidence += text
			return true
		}
	}
	return false
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

// sound reports whether no finding is more than worth knowing.
func (f *findings) sound() bool {
	for _, list := range f.kept {
		if slices.ContainsFunc(list, func(p placed) bool { return p.Severity != SeverityInfo }) {
			return false
		}
	}
	return true
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
		cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Evidence, b.Evidence))
}

// entryName names an entry for people, as in "entry 1930 (term 3)".
func entryName(id raftpb.EntryID) string { return "entry " + id.String() }

// indexName names a place in the log for people, as in "index 1930 (term 3)".
func indexName(id raftpb.EntryID) string { return "index " + id.String() }
