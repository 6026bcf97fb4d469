package where

import (
	"fmt"
	"iter"

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
	lead  []byte // what stands before the value: ,"name":
	value value
}

// shape is what the JSON of the records of one kind and one segment has in common: how it begins,
// and the fields that may follow.
type shape struct {
	kind     wal.Kind
	segment  string
	readable bool
	head     []byte
	rest     []member
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
	readable := r.Bad == nil
	if s.rest != nil && s.kind == r.Rec.Kind && s.segment == r.Rec.Pos.Segment && s.readable == readable {
		return s
	}
	*s = shape{kind: r.Rec.Kind, segment: r.Rec.Pos.Segment, readable: readable, head: s.head[:0], rest: s.rest[:0]}
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
			m := member{f.Name, fmt.Appendf(nil, ",%q:", f.Name), f.value}
			if f.shown(r) && !yield(m, i >= headFields) {
				return
			}
		}
	}
}
