package etcdlog

import (
	"slices"
	"strings"
)

// Cause is what a line comes from.
type Cause struct {
	Name  string // as the JSON contract spells it
	Fatal bool   // the server ends on it; else it goes on, and may not do what it should

	// Words are what a line has of it, any of them. "…" stands for anything between.
	Words []string
	Means string // in one sentence

	// Classes are those of the findings that explain it; none where nothing in the files does.
	Classes []string
	Advice  string // what to do

	info bool // a line that the server doesn't warn with has it too
}

// Causes returns all that is known of lines.
func Causes() []Cause { return slices.Clone(causes) }

// causes are all there are: the more particular ones first, since the first that a line has counts.
var causes = slices.Concat(logCauses, stateCauses, applyCauses, clusterCauses, machineCauses, lastCauses)

// causeOf returns the cause that a line has; nil for a line that is as it should be.
func causeOf(l *Line) *Cause {
	for i := range causes {
		c := &causes[i]
		if l.Level == LevelInfo && !c.info {
			continue
		}
		if slices.ContainsFunc(c.Words, func(words string) bool { return has(l.match, words) }) {
			return c
		}
	}
	return nil
}

// has reports whether a text has some words in it, with anything where they have "…".
func has(text, words string) bool {
	for {
		part, rest, more := strings.Cut(words, "…")
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		if !more {
			return true
		}
		text, words = text[i+len(part):], rest
	}
}
