package ui

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Span is a flag: a range of numbers, first and last inclusive.
type Span struct {
	First, Last uint64
	IsSet       bool
}

// String formats the span as it is typed.
func (s *Span) String() string {
	switch {
	case !s.IsSet:
		return ""
	case s.First == s.Last:
		return strconv.FormatUint(s.First, 10)
	case s.Last == math.MaxUint64:
		return fmt.Sprintf("%d..", s.First)
	}
	return fmt.Sprintf("%d..%d", s.First, s.Last)
}

// Set takes N, LO..HI, LO.. or ..HI.
func (s *Span) Set(text string) error {
	lo, hi, isRange := strings.Cut(text, "..")
	if !isRange {
		hi = lo
	}
	if lo == "" && hi == "" {
		return fmt.Errorf("want N, LO..HI, LO.. or ..HI")
	}
	first, err := parseBound(lo, 0)
	if err != nil {
		return err
	}
	last, err := parseBound(hi, math.MaxUint64)
	if err != nil {
		return err
	}
	if first > last {
		return fmt.Errorf("%d is above %d", first, last)
	}
	*s = Span{First: first, Last: last, IsSet: true}
	return nil
}

func parseBound(text string, open uint64) (uint64, error) {
	if text == "" {
		return open, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is no number", text)
	}
	return n, nil
}

// Type names the values in help texts.
func (*Span) Type() string { return "LO..HI" }

// Has reports whether n is in the span; everything is in one that was not set.
func (s *Span) Has(n uint64) bool { return !s.IsSet || s.First <= n && n <= s.Last }

// Meets reports whether the span has a number of first to last, where a last of 0 is unknown.
func (s *Span) Meets(first, last uint64) bool {
	return !s.IsSet || first <= s.Last && (last == 0 || s.First <= last)
}
