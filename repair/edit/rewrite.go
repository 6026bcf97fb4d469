package edit

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// rewriter yields the records that a plan writes anew.
type rewriter struct {
	plan   *Rewrite
	log    *wal.Log // the source, corrected
	view   *wal.View
	donors []*wal.View

	order   map[string]int // of the segments
	skips   map[Span]bool
	inserts map[Place][]Insert
	began   bool             // an entry behind Begin was written
	state   raftpb.HardState // the last one that was written, behind Begin
	lowest  uint64           // of the indexes of entries that were yielded, less than all if there are none
	names   naming           // behind what is copied and what was yielded
}

func newRewriter(r *Rewrite, log *wal.Log, view *wal.View, donors []*wal.View) *rewriter {
	w := &rewriter{plan: r, log: log, view: view, donors: donors, order: map[string]int{}, skips: map[Span]bool{},
		inserts: map[Place][]Insert{}}
	for i, s := range log.Segments() {
		w.order[s.File] = i
	}
	for _, s := range r.Skip {
		w.skips[s] = true
	}
	for _, in := range r.Insert {
		w.inserts[in.At] = append(w.inserts[in.At], in)
	}
	return w
}

// before reports whether a record lies before a place.
func (w *rewriter) before(pos wal.Position, at Place) bool {
	if pos.Segment != at.Segment {
		return w.order[pos.Segment] < w.order[at.Segment]
	}
	return pos.Off < at.Off
}

// pollEvery is after how many records the context is looked at.
const pollEvery = 4096

// records yields them, in order. Damage that the plan doesn't know of ends it.
func (w *rewriter) records(ctx context.Context) iter.Seq2[*wal.Record, error] {
	return func(yield func(*wal.Record, error) bool) {
		yield = w.noting(yield)
		n, first := 0, w.first()
		if w.names = named(w.log.Segments()[first].Name); w.plan.Begin != nil {
			w.names = naming{w.plan.Begin.Index, w.plan.Begin.Index}
		}
		for rec, err := range w.log.RecordsFrom(first) {
			if n++; err == nil && n%pollEvery == 0 {
				err = ctx.Err()
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if w.plan.Begin == nil && w.before(rec.Pos, w.plan.From) {
				w.names.note(rec)
				continue
			}
			if end := w.plan.End; end != (Place{}) && !w.before(rec.Pos, end) {
				break
			}
			at := PlaceOf(rec.Pos)
			if !w.insert(w.inserts[at], yield) || !w.pass(rec, yield) {
				return
			}
			delete(w.inserts, at) // a damage without a length lies where the next record does
		}
		w.insert(w.inserts[Place{}], yield)
	}
}

// first returns the segment to begin reading with: up to where records change, the log is whole.
func (w *rewriter) first() int {
	if w.plan.From == (Place{}) {
		return 0
	}
	k := w.order[w.plan.From.Segment]
	if w.plan.From.Off == 0 { // how it follows the one before may be what is wrong
		k--
	}
	return max(k, 0)
}

// noting keeps count of what is yielded.
func (w *rewriter) noting(yield func(*wal.Record, error) bool) func(*wal.Record, error) bool {
	w.lowest = math.MaxUint64
	return func(rec *wal.Record, err error) bool {
		if err == nil && rec.Kind == wal.KindEntry {
			w.lowest = min(w.lowest, rec.ID.Index)
		}
		if err == nil {
			w.names.note(rec)
		}
		return yield(rec, err)
	}
}

// pass yields a record of the source, if it is taken over. It returns false if that is the end.
func (w *rewriter) pass(rec *wal.Record, yield func(*wal.Record, error) bool) bool {
	switch {
	case w.skips[Span{PlaceOf(rec.Pos), rec.Len}], w.comesIn(rec):
		return true
	case w.plan.Begin != nil:
		if rec.Kind == wal.KindDamage || rec.Unchecked || !w.counts(rec) {
			return true
		}
	case rec.Kind == wal.KindDamage:
		if rec.Damage.Severity != wal.SeverityError {
			return true
		}
		yield(nil, rec.Damage.Err())
		return false
	}
	if rec.Kind == wal.KindState && w.plan.Commit > 0 {
		return yield(w.bounded(rec))
	}
	if rec.Kind == wal.KindCRC {
		rec = w.names.head(rec)
	}
	if rec.Kind == wal.KindMetadata && len(w.plan.Metadata) > 0 { // whatever this segment says
		r := *rec
		r.Data = w.plan.Metadata
		rec = &r
	}
	return yield(rec, nil)
}

// comesIn reports whether a record is an entry that is taken from elsewhere.
func (w *rewriter) comesIn(rec *wal.Record) bool {
	if rec.Kind != wal.KindEntry {
		return false
	}
	for i := range w.plan.Insert {
		if in := &w.plan.Insert[i]; in.Donor > 0 && in.First <= rec.ID.Index && rec.ID.Index <= in.Last {
			return true
		}
	}
	return false
}

// counts reports whether a record belongs into a log that begins anew with a snapshot.
func (w *rewriter) counts(rec *wal.Record) bool {
	begin := w.plan.Begin.Index
	switch rec.Kind {
	case wal.KindEntry:
		if rec.ID.Index <= begin || !w.view.Live(rec.Pos, rec.ID.Index) {
			return false
		}
		w.began = true
		return true
	case wal.KindState:
		var s raftpb.HardState
		if s.Unmarshal(rec.Data) != nil || w.view.Foreign(rec.Pos) || !w.follows(&s) {
			return false
		}
		w.state = s
		return true
	case wal.KindSnapshot:
		var s wal.Snapshot
		return s.Unmarshal(rec.Data) == nil && s.Index > begin && !w.view.Foreign(rec.Pos)
	}
	return w.began // the heads of segments
}

// follows reports whether a hard state says more than the last one that was written.
func (w *rewriter) follows(s *raftpb.HardState) bool {
	if w.state.IsEmpty() {
		_ = w.state.Unmarshal(w.plan.Begin.State) // it was made by the plan
	}
	return s.Term >= w.state.Term && s.Commit >= w.state.Commit && *s != w.state
}

// bounded returns a hard state that commits no more than the result has.
func (w *rewriter) bounded(rec *wal.Record) (*wal.Record, error) {
	var s raftpb.HardState
	if err := s.Unmarshal(rec.Data); err != nil || s.Commit <= w.plan.Commit {
		return rec, nil //nolint:nilerr // what can't be read is copied as it is
	}
	s.Commit = w.plan.Commit
	r := *rec
	r.Data = s.Marshal(raftpb.FlavorGogo)
	return &r, nil
}

// insert yields records that come in. It returns false if that is the end.
func (w *rewriter) insert(list []Insert, yield func(*wal.Record, error) bool) bool {
	for i := range list {
		in := &list[i]
		if in.Donor == 0 {
			if !yield(in.record(), nil) {
				return false
			}
			continue
		}
		if !w.splice(in, yield) {
			return false
		}
	}
	return true
}

// record is a record that comes in, as a reader would give it.
func (in *Insert) record() *wal.Record {
	rec := &wal.Record{Kind: wal.Kind(in.Kind), Data: in.Data}
	var e raftpb.Entry
	if rec.Kind == wal.KindEntry && e.UnmarshalAlias(in.Data) == nil {
		rec.ID = e.ID()
	}
	return rec
}

func (w *rewriter) splice(in *Insert, yield func(*wal.Record, error) bool) bool {
	if in.Donor > len(w.donors) {
		yield(nil, fmt.Errorf("the plan has a donor %d, and there are %d", in.Donor, len(w.donors)))
		return false
	}
	for e, err := range w.donors[in.Donor-1].Replay(in.First, in.Last) {
		if err != nil {
			yield(nil, err)
			return false
		}
		if !yield(e.Record, nil) {
			return false
		}
	}
	return true
}

// errNoHead is returned when a log has to be written anew whose metadata nothing tells.
var errNoHead = errors.New("no segment of the log has intact metadata")
