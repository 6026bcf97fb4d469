package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// span is a flag: a range of numbers, first and last inclusive.
type span struct {
	first, last uint64
	set         bool
}

// String formats the span as it is typed.
func (s *span) String() string {
	switch {
	case !s.set:
		return ""
	case s.first == s.last:
		return strconv.FormatUint(s.first, 10)
	case s.last == math.MaxUint64:
		return fmt.Sprintf("%d..", s.first)
	}
	return fmt.Sprintf("%d..%d", s.first, s.last)
}

// Set takes N, LO..HI, LO.. or ..HI.
func (s *span) Set(text string) error {
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
	*s = span{first: first, last: last, set: true}
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
func (*span) Type() string { return "LO..HI" }

// has reports whether n is in the span; everything is in one that was not set.
func (s *span) has(n uint64) bool { return !s.set || s.first <= n && n <= s.last }

// meets reports whether the span has a number of first to last, where a last of 0 is unknown.
func (s *span) meets(first, last uint64) bool {
	return !s.set || first <= s.last && (last == 0 || s.first <= last)
}
