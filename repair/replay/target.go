package replay

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind is a kind of target, as it is written.
type Kind string

// The kinds.
const (
	End          Kind = "end"           // all there is
	Index        Kind = "index"         // after an entry
	Revision     Kind = "revision"      // when the keys have come to a revision
	Term         Kind = "term"          // after the last entry of a term
	BeforeDelete Kind = "before-delete" // before the last entry that deleted a key
	Time         Kind = "time"          // after the last entry that was written by then
)

// Target says up to where entries are applied. The zero value is the end.
type Target struct {
	Kind Kind
	N    uint64    // of Index, Revision and Term
	Key  []byte    // of BeforeDelete: a key, or what keys begin with
	Time time.Time // of Time
}

// Targets are the forms of a target, for whoever lists them.
func Targets() []string {
	return []string{"end", "index=N", "revision=N", "term=N", "before-delete=KEY|PREFIX", "time=RFC3339"}
}

// ParseTarget reads a target: see [Targets].
func ParseTarget(text string) (t Target, err error) {
	name, value, has := strings.Cut(text, "=")
	t.Kind = Kind(name)
	if !slices.ContainsFunc(Targets(), func(form string) bool {
		known, _, takes := strings.Cut(form, "=")
		return known == name && takes == has
	}) {
		return t, fmt.Errorf("%q, want one of %s", text, strings.Join(Targets(), ", "))
	}
	switch t.Kind {
	case Index, Revision, Term:
		if t.N, err = strconv.ParseUint(value, 10, 63); err != nil || t.N == 0 {
			return t, fmt.Errorf("%s %q, want a number from 1 on", name, value)
		}
	case BeforeDelete:
		if value == "" {
			return t, fmt.Errorf("%s without a key", name)
		}
		t.Key = []byte(value)
	case Time:
		if t.Time, err = time.Parse(time.RFC3339Nano, value); err != nil {
			return t, fmt.Errorf("time %q, want one like 2026-11-28T21:38:26Z", value)
		}
	}
	return t, nil
}

// String returns the target in the form that [ParseTarget] reads.
func (t Target) String() string {
	switch t.Kind {
	case Index, Revision, Term:
		return fmt.Sprintf("%s=%d", t.Kind, t.N)
	case BeforeDelete:
		return fmt.Sprintf("%s=%s", t.Kind, t.Key)
	case Time:
		return fmt.Sprintf("%s=%s", t.Kind, t.Time.Format(time.RFC3339Nano))
	}
	return string(End)
}

// checkAhead refuses a target that lies behind the state of a database.
func (t Target) checkAhead(s State) error {
	switch {
	case t.Kind == Index && t.N < s.Applied.Index:
		return &TargetError{Target: t, Why: fmt.Sprintf("the database has applied entries up to %d; an earlier one is needed",
			s.Applied.Index)}
	case t.Kind == Revision && t.N < uint64(s.Revision):
		return &TargetError{Target: t, Why: fmt.Sprintf("the database is at revision %d; an earlier one is needed", s.Revision)}
	case t.Kind == Term && t.N < s.Applied.Term:
		return &TargetError{Target: t, Why: fmt.Sprintf("the database has applied an entry of term %d; an earlier one is needed",
			s.Applied.Term)}
	}
	return nil
}

// checkReached refuses a state that is short of the target, when all entries were applied.
func (t Target) checkReached(s State) error {
	switch {
	case t.Kind == Index && s.Applied.Index < t.N:
		return &TargetError{Target: t, Why: fmt.Sprintf("the last entry that may be applied is %d", s.Applied.Index)}
	case t.Kind == Revision && uint64(s.Revision) < t.N:
		return &TargetError{Target: t, Why: fmt.Sprintf("the last entry that may be applied, %d, makes revision %d",
			s.Applied.Index, s.Revision)}
	case t.Kind == Term && s.Applied.Term < t.N:
		return &TargetError{Target: t, Why: fmt.Sprintf("the last entry that may be applied, %d, is of term %d",
			s.Applied.Index, s.Applied.Term)}
	}
	return nil
}
