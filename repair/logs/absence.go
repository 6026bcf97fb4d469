package logs

import "github.com/raftctl/raftctl/wal"

// missing returns the error for ranges that no log gives.
func (j *Joined) missing(after uint64, ranges []wal.IndexRange) error {
	m := Missing{Ranges: ranges, HeldTo: ranges[0].First - 1}
	damaged := false
	for _, s := range j.sources {
		a := j.absence(s, ranges[0])
		damaged = damaged || a.Why == WhyDamage || a.Finding != nil
		m.Absences = append(m.Absences, a)
	}
	if damaged {
		return &DamageError{m}
	}
	return &GapError{m}
}

// absence returns why a log doesn't give a range. What it has of it counts most, then damage, then what lies
// nearest before the range.
func (j *Joined) absence(s *Source, r wal.IndexRange) Absence {
	for _, x := range j.spans {
		if x.source == s && x.first <= r.Last && r.First <= x.last && x.upTo < x.last {
			a := Absence{Source: s, Why: WhyUnproven}
			a.Held = wal.IndexRange{First: max(x.first, x.upTo+1, r.First), Last: min(x.last, r.Last)}
			a.Finding = s.behind(x)
			return a
		}
	}
	var found *hole
	for i := range s.holes {
		h := &s.holes[i]
		if h.First > r.Last || h.Last < r.First {
			continue
		}
		if found == nil || h.why == WhyDamage && found.why != WhyDamage {
			found = h
		}
	}
	if found == nil {
		return Absence{Source: s, Why: WhyEmpty}
	}
	a := Absence{Source: s, Why: found.why, Finding: found.finding}
	switch found.why {
	case WhyBegins:
		a.At = found.Last + 1
	case WhySnapshot:
		a.At = found.Last
	case WhyEnds:
		a.At = found.First - 1
	}
	return a
}

// behind returns the damage behind a span, if that is not the end of the log.
func (s *Source) behind(x *span) *wal.Finding {
	for i := range s.spans {
		if s.spans[i].first != x.first {
			continue
		}
		if i+1 < len(s.spans) {
			return s.damage(&s.spans[i], &s.spans[i+1])
		}
		return s.damage(&s.spans[i], nil)
	}
	return nil
}

// damageIn returns the damage of the logs behind an index, up to another.
func (j *Joined) damageIn(after, upTo uint64) (out []Damage) {
	for _, s := range j.sources {
		for _, h := range s.holes {
			if h.why != WhyDamage || h.First > upTo || h.Last <= after {
				continue
			}
			r := wal.IndexRange{First: max(h.First, after+1), Last: min(h.Last, upTo)}
			out = append(out, Damage{s, r, h.finding})
		}
	}
	return out
}
