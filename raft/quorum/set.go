package quorum

import (
	"slices"
	"strconv"
	"strings"
)

// Set is a set of member IDs in ascending order, without duplicates. As voters, a quorum of it is
// any majority. It is immutable by convention: With and Without return copies. The empty set is
// nil.
type Set []uint64

// NewSet returns the set of the given IDs, in any order, duplicates dropped.
func NewSet(ids ...uint64) Set {
	if len(ids) == 0 {
		return nil
	}
	s := slices.Clone(ids)
	slices.Sort(s)
	return slices.Compact(s)
}

// Contains reports whether id is in the set.
func (s Set) Contains(id uint64) bool {
	_, found := slices.BinarySearch(s, id)
	return found
}

// With returns the set with id in it.
func (s Set) With(id uint64) Set {
	i, found := slices.BinarySearch(s, id)
	if found {
		return s
	}
	t := make(Set, 0, len(s)+1)
	t = append(t, s[:i]...)
	t = append(t, id)
	return append(t, s[i:]...)
}

// Without returns the set without id. The result is nil when nothing is left.
func (s Set) Without(id uint64) Set {
	i, found := slices.BinarySearch(s, id)
	if !found {
		return s
	}
	if len(s) == 1 {
		return nil
	}
	t := make(Set, 0, len(s)-1)
	t = append(t, s[:i]...)
	return append(t, s[i+1:]...)
}

// Union returns the IDs that are in either set.
func (s Set) Union(other Set) Set {
	u := make([]uint64, 0, len(s)+len(other))
	u = append(u, s...)
	return NewSet(append(u, other...)...)
}

// String formats the set as etcd's raft does: (1 2 a), IDs in hex.
func (s Set) String() string {
	var b strings.Builder
	b.WriteByte('(')
	for i, id := range s {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strconv.FormatUint(id, 16))
	}
	b.WriteByte(')')
	return b.String()
}
