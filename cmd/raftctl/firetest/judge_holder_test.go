package firetest

import (
	"cmp"
	"fmt"
	"slices"
)

// hold is a time in which a client may be sure to hold a lock, or to be elected: from when it was told so until it gave it back, or until
// its lease could have ended.
type hold struct {
	what        string
	client      int
	from, until int64
}

// judgeHolds decides whether nothing is held by two.
func judgeHolds(holds []hold) error {
	slices.SortFunc(holds, func(a, b hold) int {
		return cmp.Or(cmp.Compare(a.what, b.what), cmp.Compare(a.from, b.from))
	})
	var longest hold
	for _, h := range holds {
		if h.until <= h.from {
			continue
		}
		if h.what == longest.what && h.from < longest.until {
			return fmt.Errorf("%s: held by two, %+v and %+v", h.what, longest, h)
		}
		if h.what != longest.what || h.until > longest.until {
			longest = h
		}
	}
	return nil
}
