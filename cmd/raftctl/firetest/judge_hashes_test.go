package firetest

import "fmt"

// hashed is the hash of a member's keys at a revision, with what was compacted then.
type hashed struct {
	member         int
	rev, compacted int64
	hash           uint32
}

// judgeHashes decides whether members had the same keys at the same revisions.
func judgeHashes(all []hashed) error {
	type at struct{ rev, compacted int64 }
	first := map[at]hashed{}
	for _, h := range all {
		before, ok := first[at{h.rev, h.compacted}]
		if !ok {
			first[at{h.rev, h.compacted}] = h
		} else if before.hash != h.hash {
			return fmt.Errorf("members don't have the same keys: %+v, %+v", before, h)
		}
	}
	return nil
}
