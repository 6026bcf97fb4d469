package wal

import (
	"errors"
	"fmt"
	"iter"

	"github.com/raftctl/raftctl/raftpb"
)

// The reasons why entries can't be replayed.
var (
	// ErrGap is returned when an entry is missing: it was lost or purged, lies behind the end, or a
	// snapshot from the leader stands in its place; or damage before it may hide that it was
	// overwritten.
	ErrGap = errors.New("entry is missing")

	// ErrUnchecked is returned when an entry is there, but damage took what its data is checked
	// against.
	ErrUnchecked = errors.New("entry can't be checked")

	// ErrUndecodable is returned when an entry is there and intact, and is no entry that can be
	// decoded.
	ErrUndecodable = errors.New("entry can't be decoded")
)

// ReplayError is why entries can't be replayed up to the last one that is wanted: which one can't be
// given, and the place where that showed.
type ReplayError struct {
	Pos   Position // the record that is wrong, or that comes in place of the missing one; zero at the end
	Index uint64   // of the entry that can't be given
	Err   error    // ErrGap, ErrUnchecked or ErrUndecodable, perhaps with details
}

// Error formats the error as "<file>: offset 4096: entry 17: entry is missing".
func (e *ReplayError) Error() string {
	if e.Pos.Segment == "" {
		return fmt.Sprintf("index %d: %v", e.Index, e.Err)
	}
	return fmt.Sprintf("%v: index %d: %v", e.Pos, e.Index, e.Err)
}

// Unwrap returns Err.
func (e *ReplayError) Unwrap() error { return e.Err }

// Replay reads the live entries from index first to index last, both included, in order and without a
// gap, for those who apply them: it ends with a *ReplayError at the first that is missing, unchecked,
// not decodable, or in doubt, after all before it were yielded. It starts reading at the segment that
// holds the first. An error of reading the files ends it as well.
func (v *View) Replay(first, last uint64) iter.Seq2[LiveEntry, error] {
	return func(yield func(LiveEntry, error) bool) {
		if first > last {
			return
		}
		p := player{view: v, next: first, sure: v.sureTo(first)}
		for r, err := range v.log.recordsFrom(v.segmentOf(first), Inspect) {
			if err == nil {
				err = p.take(r)
			}
			if err != nil {
				yield(LiveEntry{}, err)
				return
			}
			if p.found && (!yield(LiveEntry{&p.entry, r}, nil) || p.next > last) {
				return
			}
		}
		yield(LiveEntry{}, p.missing(Position{}))
	}
}

// sureTo returns up to which entry the log goes on from first without a gap or doubt; one below first
// if that is not there.
func (v *View) sureTo(first uint64) uint64 {
	for _, r := range v.Ranges {
		if r.First <= first && first <= r.Last {
			return r.Last
		}
	}
	return first - 1
}

// player takes records one by one and picks the entries that are wanted.
type player struct {
	view *View
	next uint64 // index of the entry to come
	sure uint64 // up to here nothing is missing or in doubt

	entry   raftpb.Entry
	found   bool         // entry is the one that was to come
	suspect *ReplayError // what lies between the last entry and the next, if anything is wrong there
}

// take takes in a record. The error is what keeps the entry to come from being given.
func (p *player) take(r *Record) error {
	p.found = false
	switch {
	case r.Kind == KindDamage && r.Len > 0:
		p.suspect = &ReplayError{Pos: r.Damage.Pos, Err: fmt.Errorf("%w: %s", ErrGap, r.Damage.Evidence)}
	case r.Kind == KindEntry && r.ID.Index == 0:
		err := p.entry.UnmarshalAlias(r.Data)
		p.suspect = &ReplayError{Pos: r.Pos, Err: fmt.Errorf("%w: %w", ErrUndecodable, err)}
	case r.Kind == KindEntry && r.ID.Index >= p.next && p.view.Live(r.Pos, r.ID.Index):
		return p.live(r)
	}
	return nil
}

// live takes in a live entry that is the one to come or lies behind it.
func (p *player) live(r *Record) error {
	switch {
	case r.ID.Index == p.next && r.Unchecked:
		return &ReplayError{Pos: r.Pos, Index: p.next, Err: ErrUnchecked}
	case r.ID.Index != p.next || p.next > p.sure:
		return p.missing(r.Pos)
	}
	if err := p.entry.UnmarshalAlias(r.Data); err != nil {
		return &ReplayError{Pos: r.Pos, Index: p.next, Err: fmt.Errorf("%w: %w", ErrUndecodable, err)}
	}
	p.next++
	p.found, p.suspect = true, nil
	return nil
}

// missing is the error that the entry to come is missing: something else is at pos, or the end.
func (p *player) missing(pos Position) *ReplayError {
	if p.suspect != nil {
		p.suspect.Index = p.next
		return p.suspect
	}
	return &ReplayError{Pos: pos, Index: p.next, Err: ErrGap}
}

// Locate returns where the record of a live entry lies. The error is a *ReplayError that is ErrGap if
// the log has no such entry, or that of a read.
func (v *View) Locate(index uint64) (Position, error) {
	if index < v.First.Index || index > v.Last.Index {
		return Position{}, &ReplayError{Index: index, Err: ErrGap}
	}
	for r, err := range v.log.recordsFrom(v.segmentOf(index), Inspect) {
		if err != nil {
			return Position{}, err
		}
		if r.Kind == KindEntry && r.ID.Index == index && v.Live(r.Pos, index) {
			return r.Pos, nil
		}
	}
	return Position{}, &ReplayError{Index: index, Err: ErrGap} // what the view saw is gone
}

// segmentOf returns the segment that a live entry lies in, or one before it. An entry lies behind the
// first of its term, and in the last segment whose name says its index or a lower one. Where records
// contradict the names, those count. A log in which something is wrong is read from a segment that is whole, or
// from its beginning: what proves records at the head of another may be what the segments before end with.
func (v *View) segmentOf(index uint64) int {
	begin := 0
	for _, t := range v.Terms {
		if t.Index > index {
			break
		}
		begin = v.ords[t.Pos.Segment]
	}
	segs := v.log.segments
	at := begin
	for i := begin + 1; i < len(segs) && segs[i].Name.Index <= index; i++ {
		at = i
	}
	if v.Sound {
		if at > begin && !v.begins(at, index) {
			return begin
		}
		return at
	}
	for ; at > 0; at-- {
		if v.whole[at] && v.begins(at, index) {
			return at
		}
	}
	return 0
}

// begins reports whether the first live entry of a segment has an index at or below the given one.
func (v *View) begins(segment int, index uint64) bool {
	for r, err := range v.log.recordsFrom(segment, Inspect) {
		if err != nil {
			return false
		}
		if r.Kind == KindEntry && v.Live(r.Pos, r.ID.Index) {
			return r.ID.Index <= index
		}
	}
	return false
}
