package logs

import (
	"math"

	"github.com/raftctl/raftctl/wal"
)

// Why says why a log doesn't give entries.
type Why uint8

// The reasons.
const (
	WhyEmpty    Why = iota // it holds no entry
	WhyBegins              // it begins behind them: older segments were removed, or it is a part of a log
	WhyEnds                // it ends before them
	WhySnapshot            // a snapshot from the leader took their place
	WhyDamage              // damage took them, or what would tell that they are in their place
	WhyUnproven            // it has them, and nothing proves that they are those that were committed
)

// hole is a range of entries that a log doesn't hold intact.
type hole struct {
	wal.IndexRange
	why     Why
	finding *wal.Finding // of the damage, if one is known to be the reason
}

// holesOf returns the holes of a log, from index 1 on.
func holesOf(s *Source) (holes []hole) {
	s.ords, s.snapshots = map[string]int{}, map[uint64]bool{}
	for i, segment := range s.Log.Segments() {
		s.ords[segment.File] = i
	}
	for _, ref := range s.View.Snapshots {
		s.snapshots[ref.Index] = true
	}
	next := uint64(1)
	var before *span
	for i := range s.spans {
		x := &s.spans[i]
		if x.first > next {
			holes = append(holes, s.hole(next, x.first-1, before, x))
		}
		before, next = x, x.last+1
	}
	if last := s.View.LastIndex(); last >= next && next > 0 {
		holes = append(holes, s.hole(next, last, before, nil))
		next = last + 1
	}
	if next == 0 { // behind the highest index there is
		return holes
	}
	h := hole{IndexRange: wal.IndexRange{First: next, Last: math.MaxUint64}, why: WhyEnds}
	if next == 1 {
		h.why = WhyEmpty
	}
	h.blame(s.damage(before, nil))
	return append(holes, h)
}

// hole returns what lies between two spans, each nil if there is none.
func (s *Source) hole(first, last uint64, before, behind *span) hole {
	h := hole{IndexRange: wal.IndexRange{First: first, Last: last}, why: WhyDamage}
	switch {
	case before == nil && s.purged():
		h.why = WhyBegins
	case s.snapshots[last]:
		h.why = WhySnapshot
	case before == nil:
		h.why = WhyBegins
	}
	h.blame(s.damage(before, behind))
	return h
}

// blame takes a finding for the reason, if there is one.
func (h *hole) blame(f *wal.Finding) {
	if f != nil && h.why != WhySnapshot {
		h.why, h.finding = WhyDamage, f
	}
}

// purged reports whether the log begins with a later segment than the first.
func (s *Source) purged() bool { return s.Log.Segments()[0].Name.Index > 0 }

// damage returns the finding that tells why entries are missing between two spans of the log; nil for the
// beginning and the end. It is the last of those that lie there, unless one says itself that it is between
// these entries.
func (s *Source) damage(before, behind *span) (found *wal.Finding) {
	if s.View.Sound {
		return nil
	}
	for i := range s.Report.Findings {
		f := &s.Report.Findings[i]
		if !takes(f) || before != nil && s.less(f.Pos, before.terms[len(before.terms)-1].pos) ||
			behind != nil && s.less(behind.terms[0].pos, f.Pos) {
			continue
		}
		if before != nil && f.After.Index > 0 && f.After.Index <= before.last && f.After.Index > f.Before.Index {
			continue // it lies within the span, where nothing is missing
		}
		found = f
		if before != nil && f.Before.Index == before.last || behind != nil && f.After.Index == behind.first {
			break
		}
	}
	return found
}

// takes reports whether a finding can be the reason why entries are missing.
func takes(f *wal.Finding) bool {
	return f.Severity == wal.SeverityError || f.Class == wal.ClassUnchecked
}

// less compares places in the log.
func (s *Source) less(a, b wal.Position) bool {
	if a.Segment == b.Segment {
		return a.Off < b.Off
	}
	return s.ords[a.Segment] < s.ords[b.Segment]
}
