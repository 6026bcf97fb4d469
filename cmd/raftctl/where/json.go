package where

import (
	"fmt"
	"slices"
)

// The JSON of a row is put together by hand, into a buffer that is used again: a log of some
// gigabytes is written in seconds.

// Shapes writes rows as JSON. It remembers what the JSON of rows of one shape has in common: how it
// begins, and the fields that may follow. K is what tells shapes apart.
type Shapes[R Row, K comparable] struct{ all [maxShapes]shape[R, K] }

// maxShapes is how many shapes are remembered.
const maxShapes = 8

// shape is what the JSON of rows of one shape has in common.
type shape[R Row, K comparable] struct {
	key  K
	head []byte
	rest []member[R]
}

// Append appends the row as one JSON object, without a line break. Rows whose shapes alternate are
// written fastest if their slots differ. Where no field is the same for all rows of a shape, all rows
// must have the first.
func (s *Shapes[R, K]) Append(b []byte, t *Table[R], r R, slot int, key K) []byte {
	sh := &s.all[slot%maxShapes]
	if sh.rest == nil || sh.key != key {
		sh.set(t, r, key)
	}
	b = append(b, sh.head...)
	for i := range sh.rest {
		m := &sh.rest[i]
		b = m.value.appendJSON(b, m, r)
	}
	return append(b, '}')
}

// set makes the shape that of a row.
func (s *shape[R, K]) set(t *Table[R], r R, key K) {
	*s = shape[R, K]{key: key, head: s.head[:0], rest: s.rest[:0]}
	for i := range t.fields {
		f := &t.fields[i]
		if !f.Shown(r) {
			continue
		}
		m := newMember(f)
		if i < t.Head {
			s.head = m.value.appendJSON(s.head, &m, r)
			continue
		}
		if len(s.head)+len(s.rest) == 0 {
			m.open()
		}
		s.rest = append(s.rest, m)
	}
	if len(s.head) == 0 {
		s.head = append(s.head, '{')
	}
	s.head[0] = '{' // in place of a comma
}

// member is a field that the JSON of rows may have.
type member[R Row] struct {
	name  string
	lead  [leadSize]byte // what stands before the value: ,"name":
	size  int            // of it
	value Value[R]
}

// leadSize is what the longest lead takes. It is a power of two that a few stores copy: calls to copy
// a few bytes took a tenth of the time.
const leadSize = 32

func newMember[R Row](f *Field[R]) member[R] {
	m := member[R]{name: f.Name, value: f.Value}
	lead := fmt.Sprintf(",%q:", f.Name)
	if m.size = copy(m.lead[:], lead); m.size < len(lead) {
		panic("the name is too long: " + f.Name) // our own table
	}
	return m
}

// open makes the member the first one of its object: there is no comma before it.
func (m *member[R]) open() {
	copy(m.lead[:], m.lead[1:])
	m.size--
}

// appendLead appends what stands before the value.
func (m *member[R]) appendLead(b []byte) []byte {
	n := len(b)
	if cap(b)-n < leadSize {
		b = slices.Grow(b, leadSize)
	}
	*(*[leadSize]byte)(b[n : n+leadSize]) = m.lead
	return b[:n+m.size]
}
