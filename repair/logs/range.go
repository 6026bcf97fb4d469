package logs

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// Run is a row of entries that one log gives.
type Run struct {
	Source      *Source
	First, Last uint64
	Committed   bool // they are known to be

	span *span
}

// Damage is entries that one log has not intact, and another gives.
type Damage struct {
	Source  *Source
	Entries wal.IndexRange
	Finding *wal.Finding // nil if it is not known which one took them
}

// Range is a row of entries, and who gives which.
type Range struct {
	after, upTo uint64
	runs        []Run
	damage      []Damage
}

// Range picks for every entry behind after, up to upTo, a log that has it intact: up to Commit those that are
// known to be committed, and behind it those of the most advanced log, if it goes on from there. It
// takes the log that goes on furthest, and changes to another one where that ends.
//
// The error is a *GapError if no log has some of them, a *DamageError if one would have them but for
// damage. That the entries go on where a state ended is for the caller to check, by the term of its
// last entry: see Term.
func (j *Joined) Range(after, upTo uint64) (*Range, error) {
	r := &Range{after: after, upTo: max(after, upTo)}
	var missing []wal.IndexRange
	for at := after; at < r.upTo; {
		behind := at >= j.commit.Index
		limit := r.upTo
		if !behind {
			limit = min(limit, j.commit.Index)
		}
		x := j.pick(at+1, behind)
		if x == nil {
			next := limit
			if !behind {
				next = j.cover.gapEnd(at+1, limit)
			}
			missing = append(missing, wal.IndexRange{First: at + 1, Last: next})
			at = next
			continue
		}
		last := min(limit, x.end(behind))
		r.runs = append(r.runs, Run{x.source, at + 1, last, !behind, x})
		at = last
	}
	if len(missing) > 0 {
		return nil, j.missing(after, joinRanges(missing))
	}
	r.damage = j.damageIn(after, r.upTo)
	return r, nil
}

// end returns up to which entry a span can be taken.
func (x *span) end(uncommitted bool) uint64 {
	if uncommitted {
		return x.last
	}
	return x.upTo
}

// pick returns the span that gives an entry, nil if there is none.
func (j *Joined) pick(index uint64, uncommitted bool) *span {
	if uncommitted {
		return j.tail(index)
	}
	return j.cover.at(index)
}

// tail returns the span that the most advanced log ends with, or one that ends with the same entry, if it goes on from
// what is committed and holds the entry.
func (j *Joined) tail(index uint64) *span {
	for _, x := range j.spans {
		as := raftpb.EntryID{Term: x.lastTerm(), Index: x.last} == j.last.EntryID // all before it is the same as well
		if x.source != j.last.Source && !as || !x.final || !x.has(index) {
			continue
		}
		if x.upTo == j.commit.Index && x.has(x.upTo) {
			return x
		}
		if base := x.source.View.Base; x.first == j.commit.Index+1 && base == j.commit.EntryID {
			return x
		}
	}
	return nil
}

// joinRanges joins ranges that follow each other.
func joinRanges(ranges []wal.IndexRange) (out []wal.IndexRange) {
	for _, r := range ranges {
		if n := len(out); n > 0 && out[n-1].Last+1 == r.First {
			out[n-1].Last = r.Last
			continue
		}
		out = append(out, r)
	}
	return out
}

// First returns the index of the first entry.
func (r *Range) First() uint64 { return r.after + 1 }

// Last returns the index of the last entry; one below First if there is none.
func (r *Range) Last() uint64 { return r.upTo }

// Len returns how many entries there are.
func (r *Range) Len() uint64 { return r.upTo - r.after }

// Runs returns which log gives which entries, in order.
func (r *Range) Runs() []Run { return slices.Clone(r.runs) }

// Uncommitted returns the entries of which it isn't known that they were committed, always at the end; its Last is
// below its First if there are none.
func (r *Range) Uncommitted() wal.IndexRange {
	out := wal.IndexRange{First: r.upTo + 1, Last: r.upTo}
	for _, run := range r.runs {
		if !run.Committed {
			out.First = min(out.First, run.First)
		}
	}
	return out
}

// Damage returns what is not intact in one log within the range, and given by another.
func (r *Range) Damage() []Damage { return slices.Clone(r.damage) }

// Entries reads the entries, in order and each once, in bounded memory. An entry is valid until the next. Each
// is checked again while it is read: the iteration ends with a *ReadError at the first that is not as it
// was, or with the error of ctx.
func (r *Range) Entries(ctx context.Context) iter.Seq2[wal.LiveEntry, error] {
	return func(yield func(wal.LiveEntry, error) bool) {
		for _, run := range r.runs {
			if !run.read(ctx, yield) {
				return
			}
		}
	}
}

// read yields the entries of a run. It returns false if that is the end.
func (r *Run) read(ctx context.Context, yield func(wal.LiveEntry, error) bool) bool {
	next := r.First
	for e, err := range r.Source.View.Replay(r.First, r.Last) {
		if next%pollEvery == 0 && ctx.Err() != nil {
			yield(wal.LiveEntry{}, ctx.Err())
			return false
		}
		if err == nil {
			err = r.check(e.Entry, next)
		}
		if err != nil {
			yield(wal.LiveEntry{}, &ReadError{r.Source, raftpb.EntryID{Index: next}, err})
			return false
		}
		if !yield(e, nil) {
			return false
		}
		next++
	}
	return true
}

// check compares an entry with what the log was known to hold.
func (r *Run) check(e *raftpb.Entry, index uint64) error {
	want := raftpb.EntryID{Term: r.span.termAt(index), Index: index}
	if e.ID() != want {
		return fmt.Errorf("got entry %v, want %v", e.ID(), want)
	}
	return nil
}
