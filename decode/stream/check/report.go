package check

import (
	"fmt"
	"maps"
	"slices"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/internal/verdict"
)

// maxViolations is how many violations of a rule are kept.
const maxViolations = 100

// maxReasons is how many reasons are told why a rule could not be checked.
const maxReasons = 16

// Violation is two messages that can't both come from members that keep to a rule.
type Violation struct {
	// First is the message that came first, without the bytes in its entries and its snapshot. It is nil where it is
	// the absence of a message that proves it, or the log of a member.
	First *stream.Event
	// Second is the message at which it showed.
	Second *stream.Event
	// Found says what was found and what was wanted.
	Found string
}

// Reason says why something could not be checked.
type Reason struct {
	Why   string
	Count int64
}

// Result is the verdict about a rule.
type Result struct {
	Info
	Verdict verdict.Verdict
	// Checked counts what was held against the rule and could be judged, Unchecked what could not be.
	Checked, Unchecked int64
	// Given counts what holds if what came before the evidence is taken for right.
	Given      int64
	Reasons    []Reason // of Unchecked, the most frequent first
	Violations []Violation
	Omitted    int64 // violations that are not kept
}

// Report is the verdict about all rules, in the order of Rules.
type Report struct {
	Verdict verdict.Verdict
	Events  int64
	Rules   []Result
}

// tally is what came of a rule so far.
type tally struct {
	checked, unchecked, given, omitted int64
	reasons                            map[string]int64
	violations                         []Violation
	unseen                             map[unseen]int64
}

// unseen is a direction of which nothing was seen when a message of it was needed. It is one that is not seen at all, or
// the evidence had only begun: that shows at the end.
type unseen struct {
	scene *scene
	pair  pair
	why   string
}

// notSeen counts something that could not be checked for want of messages from one member to another.
func (t *tally) notSeen(s *scene, from, to uint64, why string) {
	if s.gaps > 0 {
		t.cannot(why)
		return
	}
	if t.unseen == nil {
		t.unseen = map[unseen]int64{}
	}
	key := unseen{s, pair{from, to}, why}
	if _, ok := t.unseen[key]; ok || len(t.unseen) < maxLinks {
		t.unseen[key]++
		return
	}
	t.cannot(why)
}

// settled returns the tally as it stands if nothing more is seen.
func (t *tally) settled() *tally {
	c := *t
	c.reasons = maps.Clone(t.reasons)
	for key, n := range t.unseen {
		if key.scene.sees(key.pair.from, key.pair.to) {
			c.given += n
		} else {
			c.cannot(key.why, n)
		}
	}
	return &c
}

func (t *tally) ok() { t.checked++ }

// cannot counts something that could not be checked, or so many.
func (t *tally) cannot(why string, times ...int64) {
	n := int64(1)
	if len(times) > 0 {
		n = times[0]
	}
	t.unchecked += n
	if t.reasons == nil {
		t.reasons = map[string]int64{}
	}
	if _, ok := t.reasons[why]; !ok && len(t.reasons) == maxReasons {
		why = "other reasons"
	}
	t.reasons[why] += n
}

// missing counts something that could not be checked, or that holds if all was right before the evidence began.
func (t *tally) missing(s *scene, why string) {
	if s.gaps == 0 {
		t.given++
		return
	}
	t.cannot(why)
}

// violated counts a violation that shows at m.
func (t *tally) violated(first *stream.Event, m *moment, format string, args ...any) {
	t.checked++
	if len(t.violations) == maxViolations {
		t.omitted++
		return
	}
	t.violations = append(t.violations, Violation{First: first, Second: m.keep(), Found: fmt.Sprintf(format, args...)})
}

// result returns the verdict. A rule that nothing was held against is not ok.
func (r *rule) result() Result {
	t := r.tally.settled()
	res := Result{
		Info: r.Info, Verdict: verdict.OK, Checked: t.checked, Unchecked: t.unchecked, Given: t.given,
		Violations: t.violations, Omitted: t.omitted,
	}
	for _, why := range slices.Sorted(maps.Keys(t.reasons)) {
		res.Reasons = append(res.Reasons, Reason{Why: why, Count: t.reasons[why]})
	}
	slices.SortStableFunc(res.Reasons, func(a, b Reason) int { return int(b.Count - a.Count) })
	switch {
	case len(t.violations) > 0:
		res.Verdict = verdict.Problem
	case t.unchecked > 0:
		res.Verdict = verdict.Unchecked
	case t.checked == 0 && t.given > 0:
		res.Verdict = verdict.Unchecked
		res.Reasons = []Reason{{Why: "all of it depends on what came before the evidence"}}
	case t.checked == 0:
		res.Verdict = verdict.Unchecked
		res.Reasons = []Reason{{Why: r.Needs}}
	}
	return res
}

// Report returns the verdicts. The checker can go on.
func (c *Checker) Report() *Report {
	c.flush()
	rep := &Report{Verdict: verdict.OK, Events: c.events}
	for _, r := range c.rules {
		rep.Rules = append(rep.Rules, r.result())
	}
	rep.Rules = append(rep.Rules, c.checkLogs())
	for i := range rep.Rules {
		res := &rep.Rules[i]
		switch {
		case res.Verdict == verdict.Problem:
			rep.Verdict = verdict.Problem
		case res.Unchecked > 0 && rep.Verdict == verdict.OK:
			rep.Verdict = verdict.Unchecked
		}
	}
	if rep.Verdict == verdict.OK && !slices.ContainsFunc(rep.Rules, func(r Result) bool { return r.Checked > 0 }) {
		rep.Verdict = verdict.Unchecked
	}
	return rep
}

// Join adds what another checker found, where it turns out that both judged the same cluster. What it saw counts as
// missing here.
func (c *Checker) Join(o *Checker) {
	c.flush()
	o.flush()
	c.events += o.events
	for _, s := range c.scenes {
		s.gap(&stream.Event{})
	}
	for i, r := range c.rules {
		r.tally.join(&o.rules[i].tally)
	}
	for key, a := range o.acks {
		if have, ok := c.acks[key]; !ok || have.index < a.index {
			c.acks[key] = a
		}
	}
}

func (t *tally) join(o *tally) {
	t.checked += o.checked
	t.given += o.given
	t.omitted += o.omitted
	for why, n := range o.reasons {
		t.cannot(why, n)
	}
	for key, n := range o.unseen {
		t.cannot(key.why, n)
	}
	t.violations = append(t.violations, o.violations...)
	if more := len(t.violations) - maxViolations; more > 0 {
		t.violations, t.omitted = t.violations[:maxViolations], t.omitted+int64(more)
	}
}
