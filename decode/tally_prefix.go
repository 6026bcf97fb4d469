package decode

import "slices"

// PrefixTally finds the prefixes of keys that take most bytes, and those that have most revisions. Its
// memory is bounded, by some 32 MiB, whatever it counts.
type PrefixTally struct{ byBytes, byCount heavyHitters }

// Add counts a revision of a key that takes size bytes.
func (t *PrefixTally) Add(key []byte, size int64) {
	prefix := prefixOf(key)
	t.byBytes.addWeight(prefix, size, 1)
	t.byCount.addWeight(prefix, 1, size)
}

// Top returns the n prefixes with most bytes, and the n with most revisions, whose number is Writes. If
// there are more prefixes than are counted, estimated is true: then what a list is sorted by may be
// too high, and the other number too low.
func (t *PrefixTally) Top(n int) (byBytes, byCount []PrefixCount, estimated bool) {
	byBytes, byCount = t.byBytes.top(n), t.byCount.top(n)
	byBytes = slices.Clone(byBytes)
	for i := range byBytes {
		byBytes[i].Writes, byBytes[i].Bytes = byBytes[i].Bytes, byBytes[i].Writes
	}
	return byBytes, byCount, t.byBytes.full
}
