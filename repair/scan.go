package repair

import (
	"context"

	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/edit"
	"github.com/raftctl/raftctl/wal"
)

// scan is what a pass over the records of a damaged log tells that a report doesn't.
type scan struct {
	skips []edit.Span  // what can't be taken over: damage, and records that damage has made doubtful
	first wal.Position // of the first of them; where they begin, the part of the log that is whole ends
	dirty bool         // there are any
	last  wal.Position // behind the last record
	size  int64        // bytes from first on

	// stray is the highest entry that lies somewhere on the disk and goes on beyond the log's end, as far as its term
	// tells: nothing proves that it isn't the log's.
	stray raftpb.EntryID

	// tangled says that behind the first of them lie entries that others have overwritten: what comes in between
	// would not find its place.
	tangled bool
}

// pollEvery is after how many records the context is looked at.
const pollEvery = 4096

// scan reads the records of the log as corrected so far.
func (d *draft) scan(ctx context.Context) (*scan, error) {
	if d.scanned != nil {
		return d.scanned, nil
	}
	s := &scan{}
	n := 0
	for rec, err := range d.log.RecordsFrom(d.firstWrong()) {
		if err != nil {
			return nil, err
		}
		if n++; n%pollEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		s.record(rec, d.view())
	}
	d.scanned = s
	return s, ctx.Err()
}

// firstWrong returns the segment before the first one in which anything is wrong.
func (d *draft) firstWrong() int {
	first := len(d.log.Segments()) - 1
	for i := range d.report.Findings {
		f := &d.report.Findings[i]
		if k := d.order(f.Pos.Segment); f.Severity == verdict.Error && k >= 0 {
			first = min(first, k)
		}
	}
	return max(first-1, 0)
}

func (s *scan) record(rec *wal.Record, view *wal.View) {
	none := rec.Kind == wal.KindEntry && rec.ID.Index == 0 // no log has such an entry
	bad := rec.Unchecked || view.Foreign(rec.Pos) || none
	if rec.Kind == wal.KindDamage {
		bad = rec.Damage.Severity == verdict.Error
	}
	if bad {
		if !s.dirty {
			s.dirty, s.first = true, rec.Pos
		}
		s.skips = append(s.skips, edit.Span{Place: edit.PlaceOf(rec.Pos), Len: rec.Len})
	}
	if rec.Kind == wal.KindEntry && rec.ID.Index > max(view.LastIndex(), s.stray.Index) && rec.ID.Term >= view.Last.Term {
		s.stray = rec.ID
	}
	if s.dirty {
		s.size += rec.Len
		s.tangled = s.tangled || !bad && rec.Kind == wal.KindEntry && !view.Live(rec.Pos, rec.ID.Index)
	}
	s.last = wal.Position{Segment: rec.Pos.Segment, Off: rec.Pos.Off + rec.Len}
}
