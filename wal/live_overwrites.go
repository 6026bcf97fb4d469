package wal

import "math"

// overwrites remembers which index ranges were dropped where, so that a second pass over the records can
// tell the live ones in constant time.
//
// Invariant: ascending in place and in index, so the first overwrite behind a record is the lowest.
type overwrites []overwritten

type overwritten struct {
	at    place
	index uint64 // entries from here on, recorded before at, are dropped
}

func (c *overwrites) add(at place, index uint64) {
	s := *c
	for len(s) > 0 && s[len(s)-1].index >= index {
		s = s[:len(s)-1]
	}
	*c = append(s, overwritten{at, index})
}

// lowest returns the lowest index dropped behind p.
func (c overwrites) lowest(p place) uint64 {
	lo, hi := 0, len(c)
	for lo < hi {
		if m := (lo + hi) / 2; c[m].at.compare(p) <= 0 {
			lo = m + 1
		} else {
			hi = m
		}
	}
	if lo == len(c) {
		return math.MaxUint64
	}
	return c[lo].index
}
