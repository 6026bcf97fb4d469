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

	// known is what was known to be committed where the damage began that comes before an entry with which the log goes
	// on, by the entry.
	known map[uint64]uint64
	calm  commits

	// head is the last segment of which a record is left that counts.
	head string

	// tangled says that behind the first of them lie entries that others have overwritten: what comes in between
	// would not find its place.
	tangled bool
}

// commits follows what hard states commit.
type commits struct {
	most    uint64
	stopped bool   // damage lies behind the last live entry
	before  uint64 // what was committed where that begins
}

// stop notes that records may be missing here.
func (c *commits) stop() {
	if !c.stopped {
		c.stopped, c.before = true, c.most
	}
}

// goOn is called where a live entry follows. It returns what was committed before whatever is missing ahead of it.
func (c *commits) goOn() uint64 {
	c.stop()
	c.stopped = false
	return c.before
}

// pollEvery is after how many records the context is looked at.
const pollEvery = 4096

// scan reads the records of the log as corrected so far, but for what its view tells.
func (d *draft) scan(ctx context.Context) (*scan, error) {
	if d.scanned != nil {
		return d.scanned, nil
	}
	s := &scan{known: map[uint64]uint64{}}
	if first := d.firstWrong(); first > 0 {
		s.head = d.log.Segments()[first-1].File
	}
	for k := d.firstWrong(); k < len(d.report.Segments); {
		if x := &d.report.Segments[k]; d.view().Plain(k) {
			s.pass(x)
			k++
			continue
		}
		end := k + 1
		for end < len(d.report.Segments) && !d.view().Plain(end) {
			end++
		}
		if err := d.scanSegments(ctx, s, k, end); err != nil {
			return nil, err
		}
		k = end
	}
	d.scanned = s
	return s, ctx.Err()
}

// scanSegments takes in the records of segments from lo up to hi. What the one before ends with tells what the first of
// them begins with, and what was committed there.
func (d *draft) scanSegments(ctx context.Context, s *scan, lo, hi int) error {
	bounds, n, file, at := d.bounds(), 0, "", 0
	for rec, err := range d.log.RecordsFrom(max(lo-1, 0)) {
		if err != nil {
			return err
		}
		if n++; n%pollEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		live := rec.Kind == wal.KindEntry && d.view().Live(rec.Pos, rec.ID.Index)
		if live && bounds[rec.ID.Index] {
			d.places[rec.ID.Index] = located{pos: rec.Pos}
		}
		if rec.Pos.Segment != file {
			file = rec.Pos.Segment
			at = d.order(file)
		}
		if at >= hi {
			break
		}
		if at >= lo {
			s.record(rec, d.view())
		}
		s.commit(rec, live, bounds)
	}
	return nil
}

// bounds returns the entries before and behind which others are missing, or may be: those whose places are asked for.
func (d *draft) bounds() map[uint64]bool {
	set := map[uint64]bool{}
	for _, r := range d.view().Ranges {
		set[r.First], set[r.Last] = true, true
	}
	return set
}

// located is where an entry lies, or why that can't be told.
type located struct {
	pos wal.Position
	err error
}

// locate returns where a live entry lies in the log as corrected so far: see [wal.View.Locate].
func (d *draft) locate(index uint64) (wal.Position, error) {
	at, ok := d.places[index]
	if !ok {
		at.pos, at.err = d.view().Locate(index)
		d.places[index] = at
	}
	return at.pos, at.err
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

// pass takes in a segment that is plain.
func (s *scan) pass(x *wal.SegmentReport) {
	if s.dirty {
		s.size += x.Used
	}
	s.last, s.head = wal.Position{Segment: x.File, Off: x.Used}, x.File
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
	} else if rec.Kind != wal.KindDamage {
		s.head = rec.Pos.Segment
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

// commit takes in what a record tells to be committed.
func (s *scan) commit(rec *wal.Record, live bool, bounds map[uint64]bool) {
	var h raftpb.HardState
	skipped := len(s.skips) > 0 && s.skips[len(s.skips)-1].Place == edit.PlaceOf(rec.Pos)
	switch {
	case skipped, rec.Kind == wal.KindCRC: // what a segment begins with was written behind what may be missing ahead of it
		s.calm.stop()
	case rec.Kind == wal.KindState && h.Unmarshal(rec.Data) == nil:
		s.calm.most = max(s.calm.most, h.Commit)
	case live:
		if committed := s.calm.goOn(); bounds[rec.ID.Index] {
			s.known[rec.ID.Index] = committed
		}
	}
}
