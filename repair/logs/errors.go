package logs

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// ErrNoSource is returned when no logs are given to join.
var ErrNoSource = errors.New("no logs to join")

// ForeignError is returned when logs are not of one cluster, or not of the one that is wanted.
type ForeignError struct {
	Sources []*Source
	Cluster uint64 // that was wanted; 0 for any
}

// Error says which log is of which cluster.
func (e *ForeignError) Error() string {
	var parts []string
	for _, s := range e.Sources {
		parts = append(parts, s.clusterText())
	}
	text := "logs of more than one cluster: "
	switch {
	case e.Cluster != 0:
		text = fmt.Sprintf("want logs of cluster %x: ", e.Cluster)
	case e.oneAtMost():
		text = "nothing tells whether the logs are of one cluster: "
	}
	return text + strings.Join(parts, ", ")
}

// oneAtMost reports whether the logs that say a cluster say the same.
func (e *ForeignError) oneAtMost() bool {
	id := uint64(0)
	for _, s := range e.Sources {
		if id == 0 {
			id = s.Cluster()
		}
		if s.Cluster() != 0 && s.Cluster() != id {
			return false
		}
	}
	return true
}

func (s *Source) clusterText() string {
	switch v := s.View; {
	case s.Cluster() != 0:
		return fmt.Sprintf("%s is of %x (%v)", s.Name, s.Cluster(), v.MetadataPos)
	case v.MetadataErr != nil:
		return fmt.Sprintf("%s has metadata that is not etcd's (%v: %v)", s.Name, v.MetadataPos, v.MetadataErr)
	case v.MetadataPos.Segment != "":
		return fmt.Sprintf("%s has metadata without a cluster (%v)", s.Name, v.MetadataPos)
	}
	return fmt.Sprintf("%s has no metadata", s.Name)
}

// ConflictError is returned when logs are not of one history, although they may say that they are of one cluster: a
// cluster that was restored twice from one backup, or whose quorum was forced, leaves such logs.
type ConflictError struct {
	Index uint64 // of the first entry that shows it
	Sides [2]Side
}

// Side is what one of two sources has that contradict each other.
type Side struct {
	Mark              // the entry
	Held bool         // Source holds the entry
	Pos  wal.Position // of its record, if it could be found
	By   *Mark        // what it is known by to be committed; nil if that doesn't matter
}

// locate finds the record. Without it the error says less.
func (s *Side) locate() {
	if pos, err := s.Source.View.Locate(s.Index); err == nil {
		s.Pos = pos
	}
}

// Error tells both sides.
func (e *ConflictError) Error() string {
	a, b := &e.Sides[0], &e.Sides[1]
	if a.EntryID == b.EntryID {
		return fmt.Sprintf("%s and %s are of two histories: entry %v is not the same in both: %s, %s",
			a.Source.Name, b.Source.Name, a.EntryID, a.place(), b.place())
	}
	return fmt.Sprintf("%s and %s are of two histories: %s, %s", a.Source.Name, b.Source.Name, a.text(), b.text())
}

func (s *Side) place() string {
	if s.Pos.Segment == "" {
		return s.Source.Name
	}
	return fmt.Sprintf("%s %v", s.Source.Name, s.Pos)
}

func (s *Side) text() string {
	where := "in " + s.place()
	if !s.Held {
		where = fmt.Sprintf("by the %v of %s", s.Mark.By, s.Source.Name)
	}
	text := fmt.Sprintf("entry %v %s", s.EntryID, where)
	if s.Held && s.By != nil && s.By.Source != nil {
		text += fmt.Sprintf(" (committed up to %d by the %v of %s)", s.By.Index, s.By.By, s.By.Source.Name)
	}
	return text
}

// Missing is why entries can't be given: they are in none of the logs, or in none of them intact and known to be
// committed.
type Missing struct {
	Ranges   []wal.IndexRange // what is missing, ascending
	Absences []Absence        // why each log doesn't have the first of them

	// HeldTo is up to which entry all those that are wanted are there.
	HeldTo uint64
}

// Absence is why one log doesn't give entries.
type Absence struct {
	Source  *Source
	Why     Why
	At      uint64         // where it begins or ends, if that is why
	Held    wal.IndexRange // what it has of them, if Why is WhyUnproven
	Finding *wal.Finding   // the damage, where one is known
}

// String says why, with the log's name.
func (a *Absence) String() string {
	switch a.Why {
	case WhyBegins:
		return fmt.Sprintf("%s begins at %d", a.Source.Name, a.At)
	case WhyEnds:
		return fmt.Sprintf("%s ends at %d", a.Source.Name, a.At)
	case WhySnapshot:
		return fmt.Sprintf("%s has a snapshot from the leader up to %d in their place", a.Source.Name, a.At)
	case WhyUnproven:
		return fmt.Sprintf("%s has %v, which nothing proves to be committed%s", a.Source.Name, a.Held, a.because())
	case WhyDamage:
		return fmt.Sprintf("%s is damaged there%s", a.Source.Name, a.because())
	}
	return a.Source.Name + " has no entries"
}

func (a *Absence) because() string {
	if a.Finding == nil {
		return ""
	}
	return fmt.Sprintf(" (%s)", a.Finding)
}

func (m *Missing) text(what string) string {
	var b strings.Builder
	r := m.Ranges[0]
	are := "are"
	if r.Len() == 1 {
		are = "is"
	}
	fmt.Fprintf(&b, "%v %s %s: ", r, are, what)
	for i := range m.Absences {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(m.Absences[i].String())
	}
	if n := len(m.Ranges) - 1; n > 0 {
		fmt.Fprintf(&b, "; and %d more gaps up to entry %d", n, m.Ranges[n].Last)
	}
	fmt.Fprintf(&b, "; add a log of the cluster that has %v", r)
	return b.String()
}

// GapError is returned when no log has some of the entries, or none of which it is known that it has those
// that were committed.
type GapError struct{ Missing }

// Error says which entries, where the logs end and begin, and what to add.
func (e *GapError) Error() string {
	if slices.ContainsFunc(e.Absences, func(a Absence) bool { return a.Why == WhyUnproven }) {
		return e.text("known to be committed in none of the logs")
	}
	return e.text("in none of the logs")
}

// DamageError is returned when no log has some of the entries intact, and at least one is damaged there.
type DamageError struct{ Missing }

// Error says which entries, what is wrong with which log, and what to add.
func (e *DamageError) Error() string { return e.text("intact in none of the logs") }

// Unwrap returns the damage as an error, that of the first log by name.
func (e *DamageError) Unwrap() error {
	for i := range e.Absences {
		if a := &e.Absences[i]; a.Finding != nil {
			return a.Finding.Err()
		}
	}
	return nil
}

// ReadError is returned when an entry can't be read that was there before, or has become another one.
type ReadError struct {
	Source *Source
	Entry  raftpb.EntryID // the term is 0 if it is not known
	Err    error          // wal's, such as a *wal.ReplayError
}

// Error says which log.
func (e *ReadError) Error() string {
	return fmt.Sprintf("%s: entry %d, which was intact before: %v", e.Source.Name, e.Entry.Index, e.Err)
}

// Unwrap returns Err.
func (e *ReadError) Unwrap() error { return e.Err }
