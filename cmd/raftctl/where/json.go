package where

import (
	"fmt"
	"iter"
	"slices"

	"github.com/raftctl/raftctl/wal"
)

// The JSON of a record is put together by hand, into a buffer that is used again: a log of some
// gigabytes is written in seconds.

// AppendJSON appends the record as one JSON object, without a line break.
func (r *Row) AppendJSON(b []byte) []byte {
	s := r.shapes.of(r)
	b = append(b, s.head...)
	for i := range s.rest {
		m := &s.rest[i]
		b = m.value.appendJSON(b, m, r)
	}
	return append(b, '}')
}

// member is a field that the JSON of records may have.
type member struct {
	name  string
	lead  [leadSize]byte // what stands before the value: ,"name":
	size  int            // of it
	value value
}

// leadSize is what the longest lead takes. It is a power of two that two stores copy: calls to copy a
// few bytes took a tenth of the time.
const leadSize = 16

func newMember(f *Field) member {
	m := member{name: f.Name, value: f.value}
	lead := fmt.Sprintf(",%q:", f.Name)
	if m.size = copy(m.lead[:], lead); m.size < len(lead) {
		panic("the name is too long: " + f.Name) // our own table
	}
	return m
}

// appendLead appends what stands before the value.
func (m *member) appendLead(b []byte) []byte {
	n := len(b)
	if cap(b)-n < leadSize {
		b = slices.Grow(b, leadSize)
	}
	*(*[leadSize]byte)(b[n : n+leadSize]) = m.lead
	return b[:n+m.size]
}

// shape is what the JSON of the records of one kind and one segment has in common: how it begins,
// and the fields that may follow.
type shape struct {
	kind      wal.Kind
	segment   string
	readable  bool
	unchecked bool
	foreign   bool
	head      []byte
	rest      []member
}

// shapes holds the shape of the last record of each kind: kinds alternate. Kinds that no etcd writes
// share a place with others.
type shapes [8]shape

// headFields is how many fields are the same for the records of a segment that are of one kind.
const headFields = 2

// of returns the shape of the record at hand. Path, Physical and Raw are the same for all records of
// a Row.
func (all *shapes) of(r *Row) *shape {
	s := &all[int(r.Rec.Kind)%len(all)]
	readable, rec := r.Bad == nil, r.Rec
	if s.rest != nil && s.kind == rec.Kind && s.segment == rec.Pos.Segment && s.readable == readable &&
		s.unchecked == rec.Unchecked && s.foreign == r.Foreign {
		return s
	}
	*s = shape{
		kind: rec.Kind, segment: rec.Pos.Segment, readable: readable, unchecked: rec.Unchecked,
		foreign: r.Foreign,
		head:    s.head[:0], rest: s.rest[:0],
	}
	for m, variable := range membersOf(r) {
		if variable {
			s.rest = append(s.rest, m)
		} else {
			s.head = m.value.appendJSON(s.head, &m, r)
		}
	}
	s.head[0] = '{' // in place of a comma
	return s
}

// membersOf yields the members that records like this one may have, and whether they vary.
func membersOf(r *Row) iter.Seq2[member, bool] {
	return func(yield func(member, bool) bool) {
		for i := range fields {
			f := &fields[i]
			if f.shown(r) && !yield(newMember(f), i >= headFields) {
				return
			}
		}
	}
}
