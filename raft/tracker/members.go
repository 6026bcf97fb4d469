package tracker

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Member is a member's ID and progress.
type Member struct {
	ID uint64
	Progress
}

// Members are members in ascending order of their IDs. A group has so few that a slice searched
// from the front is faster than a map, and visiting them in order needs no sorting.
type Members []Member

// Get returns the progress of a member, nil if it is none. The pointer is good until the membership
// changes.
func (m Members) Get(id uint64) *Progress {
	for i := range m {
		if m[i].ID == id {
			return &m[i].Progress
		}
	}
	return nil
}

// Clone returns a copy that shares nothing with the original.
func (m Members) Clone() Members {
	c := slices.Clone(m)
	for i := range c {
		c[i].Inflights = m[i].Inflights.Clone()
	}
	return c
}

// String formats the members one a line, IDs in decimal, as etcd's raft does.
func (m Members) String() string {
	var b strings.Builder
	for i := range m {
		fmt.Fprintf(&b, "%d: %s\n", m[i].ID, &m[i].Progress)
	}
	return b.String()
}

// With returns the members with a new one among them. The original keeps its slice.
func (m Members) With(id uint64, p Progress) Members {
	i, _ := m.search(id)
	return slices.Insert(slices.Clip(m), i, Member{ID: id, Progress: p})
}

// Without returns the members without one. The original keeps its slice.
func (m Members) Without(id uint64) Members {
	i, found := m.search(id)
	if !found {
		return m
	}
	c := make(Members, 0, len(m)-1)
	c = append(c, m[:i]...)
	return append(c, m[i+1:]...)
}

func (m Members) search(id uint64) (int, bool) {
	byID := func(m Member, id uint64) int { return cmp.Compare(m.ID, id) }
	return slices.BinarySearchFunc(m, id, byID)
}
