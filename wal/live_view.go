package wal

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/raftctl/raftctl/raftpb"
)

// View is the logical log: what is left of the records after overwrites, and after snapshots from
// the leader that replaced entries. It differs from what etcd's own reader returns where that reader
// brings overwritten entries back.
type View struct {
	// Metadata is zero if MetadataErr tells that the log's is not etcd's.
	Metadata    Metadata
	MetadataErr error
	MetadataPos Position // zero if there is no metadata

	State    raftpb.HardState // the last one
	StatePos Position

	Snapshots []SnapshotRef // all snapshot records, in the order of the log

	// First and Last are the ends of the live entries; zero if there is none.
	First, Last raftpb.EntryID
	// Base is what the log was begun from: the snapshot that the leader sent last, or the entry
	// before the first when segments were purged (its term is 0 if unknown). Index 0 otherwise.
	Base raftpb.EntryID

	Terms  []TermStart  // where each term begins among the live entries
	Ranges []IndexRange // the live entries, split where any are missing or may be

	// Sound says that nothing is wrong with the log: every record is intact, and each segment follows
	// the one before, so that a segment can be read without those before it: see [Log.SegmentRecords].
	Sound bool

	log        *Log
	overwrites overwrites
	voids      voids
	ords       map[string]int
	whole      []bool // segments that can be read without those before: see survey.whole
}

// SnapshotRef is a snapshot record.
type SnapshotRef struct {
	raftpb.EntryID
	ConfState *raftpb.ConfState // nil at index 0, in logs of etcd 3.4, and in very many snapshots
	Pos       Position
	Valid     bool // its index is committed by the last hard state; etcd ignores others

	at place
}

// TermStart is the first live entry of a term, or of one of several stretches of a term.
type TermStart struct {
	raftpb.EntryID
	Pos Position
	N   uint64 // live entries in the stretch
}

// LiveEntry is an entry of the logical log and the record that holds it. Both alias the reader's
// buffer and hold until the next step of the iteration.
type LiveEntry struct {
	*raftpb.Entry
	Record *Record
}

// ErrTooManyEvents is returned when a log has more changes of term and overwrites than any etcd
// makes, so that its view can't be held in bounded memory.
var ErrTooManyEvents = fmt.Errorf("more than %d changes of term and overwrites", maxEvents)

// View reads the whole log once, all segments in parallel, and returns its logical view. Damage
// doesn't stop it: Ranges shows what is left. The error is that of a read, or ErrTooManyEvents.
func (l *Log) View(ctx context.Context) (*View, error) {
	s, err := l.survey(ctx, VerifyOptions{})
	if err != nil {
		return nil, err
	}
	if err := s.err(); err != nil {
		return nil, err
	}
	return s.view(l), nil
}

// In returns the view as one of another log that holds the same bytes, as one of the same files opened once more. It is
// nil if the segments are others by their names or sizes.
func (v *View) In(l *Log) *View {
	if !slices.Equal(v.log.segments, l.segments) || v.log.dialect != l.dialect {
		return nil
	}
	view := *v
	view.log = l
	return &view
}

// err returns why a survey is incomplete, or nil.
func (s *survey) err() error {
	var errs []error
	for _, d := range s.digests {
		if d.err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.segs[d.ord].File, d.err))
		}
	}
	if s.full {
		errs = append(errs, ErrTooManyEvents)
	}
	return errors.Join(errs...)
}

func (s *survey) view(l *Log) *View {
	t := &s.live
	v := &View{
		State: t.state, Base: t.base, Snapshots: t.snaps,
		Ranges: t.ranges(), Sound: s.found.sound(), log: l, overwrites: t.overwrites, voids: t.voids, ords: map[string]int{},
		whole: s.whole(),
	}
	for i, seg := range s.segs {
		v.ords[seg.File] = i
	}
	v.StatePos = s.pos(t.stateAt)
	if d := s.withMetadata(); d != nil {
		v.MetadataPos = s.pos(place{d.ord, d.metaOff})
		if v.MetadataErr = v.Metadata.Unmarshal(d.meta); v.MetadataErr != nil {
			v.Metadata = Metadata{}
		}
	}
	for i := range v.Snapshots {
		ref := &v.Snapshots[i]
		ref.Pos, ref.Valid = s.pos(ref.at), ref.Index <= t.state.Commit
	}
	if n := len(t.runs); n > 0 {
		v.First = raftpb.EntryID{Term: t.runs[0].term, Index: t.runs[0].first}
		v.Last = raftpb.EntryID{Term: t.runs[n-1].term, Index: t.runs[n-1].last}
	}
	for _, r := range t.runs {
		v.Terms = append(v.Terms, TermStart{
			EntryID: raftpb.EntryID{Term: r.term, Index: r.first}, Pos: s.pos(r.at),
			N: r.last - r.first + 1,
		})
	}
	return v
}

// whole returns which segments have every byte as a writer puts it, and follow the one before: whoever begins to
// read there reads the same records as one who comes from before. Where findings were left out, none is.
func (s *survey) whole() []bool {
	list := make([]bool, len(s.segs))
	for k, d := range s.digests {
		list[k] = d.tidy && d.err == nil && len(s.found.more) == 0
	}
	for _, found := range s.found.kept {
		for i := range found {
			if p := &found[i]; p.at.seg < len(list) && p.Severity != SeverityInfo {
				list[p.at.seg] = false
			}
		}
	}
	return list
}

// withMetadata returns the first digest that has metadata, or nil.
func (s *survey) withMetadata() *digest {
	for _, d := range s.digests {
		if d.meta != nil {
			return d
		}
	}
	return nil
}

// LastIndex returns the index that the next entry follows: that of the last entry, or of the
// snapshot from the leader that replaced it.
func (v *View) LastIndex() uint64 { return max(v.Last.Index, v.Base.Index) }

// Live reports whether the entry record at pos of this log, whose entry has the given index, is part
// of the logical log: nothing recorded later overwrote or replaced it. It takes constant memory and
// is meant for a second pass over the records.
func (v *View) Live(pos Position, index uint64) bool {
	if len(v.overwrites) == 0 && len(v.voids) == 0 { // as in most logs
		return index != 0
	}
	ord, ok := v.ords[pos.Segment]
	at := place{ord, pos.Off}
	if !ok || index == 0 || index >= v.overwrites.lowest(at) {
		return false
	}
	x := v.voids.at(at)
	return x == nil || index > x.last
}

// Plain reports whether segment i of the log is whole, follows the one before, and holds no entry that isn't live: to
// read it tells nothing that the view doesn't.
func (v *View) Plain(i int) bool {
	begin := place{seg: i}
	behind := func(x void) bool { return x.to.compare(begin) > 0 }
	return v.whole[i] && v.overwrites.lowest(begin) == math.MaxUint64 && !slices.ContainsFunc(v.voids, behind)
}

// Foreign reports whether the record at pos is intact but of another log, so that it counts for
// nothing: see ClassForeign.
func (v *View) Foreign(pos Position) bool {
	if len(v.voids) == 0 { // as in most logs
		return false
	}
	ord, ok := v.ords[pos.Segment]
	x := v.voids.at(place{ord, pos.Off})
	return ok && x != nil && x.last == math.MaxUint64
}

// Shows reports whether a record belongs to the logical log: a live entry, the last hard state, the
// metadata once, a snapshot that is valid, damage, and what can't be decoded, of any kind.
func (v *View) Shows(r *Record) bool {
	switch r.Kind {
	case KindEntry:
		return r.ID.Index == 0 || v.Live(r.Pos, r.ID.Index)
	case KindState:
		return r.Pos == v.StatePos || new(raftpb.HardState).Unmarshal(r.Data) != nil
	case KindMetadata:
		return r.Pos == v.MetadataPos || new(Metadata).Unmarshal(r.Data) != nil
	case KindSnapshot:
		return new(Snapshot).Unmarshal(r.Data) != nil ||
			slices.ContainsFunc(v.Snapshots, func(s SnapshotRef) bool { return s.Valid && s.Pos == r.Pos })
	}
	return r.Kind != KindCRC
}

// Entries reads the log again, from the segment on that holds index from, and yields the live entries
// with an index of from or above, in order of index. It ends with an error if reading fails.
func (v *View) Entries(from uint64) iter.Seq2[LiveEntry, error] {
	return func(yield func(LiveEntry, error) bool) {
		var e raftpb.Entry
		for r, err := range v.log.recordsFrom(v.segmentOf(from), Inspect) {
			if err != nil {
				yield(LiveEntry{}, err)
				return
			}
			if r.Kind != KindEntry || e.UnmarshalAlias(r.Data) != nil {
				continue
			}
			if e.Index < from || !v.Live(r.Pos, e.Index) {
				continue
			}
			if !yield(LiveEntry{&e, r}, nil) {
				return
			}
		}
	}
}

// ranges returns the live entries that are proven intact, as ranges without a gap or a doubt.
func (t *liveLog) ranges() (out []IndexRange) {
	for _, r := range t.runs {
		if r.unchecked {
			continue
		}
		if n := len(out); n > 0 && r.follows == followsProven && out[n-1].Last+1 == r.first {
			out[n-1].Last = r.last
			continue
		}
		out = append(out, IndexRange{r.first, r.last})
	}
	return out
}
