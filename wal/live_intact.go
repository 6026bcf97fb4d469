package wal

import (
	"context"
	"slices"

	"github.com/raftctl/raftctl/raftpb"
)

// IntactEnd is where the part of a log ends that is intact from its beginning on, and how things
// stood there. Everything before it is proven.
type IntactEnd struct {
	Position                  // behind the last record before the first damage
	CRC      uint32           // of the chain up to there
	State    raftpb.HardState // the last one before it
	Last     raftpb.EntryID   // the last live entry before it, or View.Base as of there if that is higher
	Damage   *Finding         // what follows; nil if the log ends there
}

// IntactEnd reads the log from its beginning up to the first damage. The error is that of ctx, that of
// a read, or ErrTooManyEvents.
func (v *View) IntactEnd(ctx context.Context) (*IntactEnd, error) {
	part := newIntactPart(v.log)
	read := 0
	for rec, err := range v.log.Records(Recover) {
		if err == nil && read%1024 == 0 {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		part.record(rec)
		read++
	}
	then, err := part.view()
	if err != nil {
		return nil, err
	}
	last := then.Last
	if then.Base.Index > last.Index {
		last = then.Base
	}
	return &IntactEnd{
		Position: part.end, CRC: part.crc, State: then.State, Last: last, Damage: part.damage,
	}, nil
}

// intactPart follows the history of a log up to its first damage, by the rules of a survey.
type intactPart struct {
	survey survey
	budget *budget
	end    Position // after the last record
	crc    uint32   // there
	damage *Finding // what the reading stopped at
}

func newIntactPart(l *Log) intactPart {
	p := intactPart{survey: survey{segs: l.Segments()}, budget: newBudget()}
	p.survey.live.found = &p.survey.found
	return p
}

// record takes in a record, in order of reading in Recover mode.
func (p *intactPart) record(rec *Record) {
	if rec.Kind == KindDamage {
		p.damage = new(*rec.Damage)
		return
	}
	if len(p.survey.digests) == 0 || rec.Pos.Segment != p.end.Segment {
		ord := slices.IndexFunc(p.survey.segs, func(s Segment) bool { return s.File == rec.Pos.Segment })
		p.survey.digests = append(p.survey.digests, newDigest(ord, p.budget, &VerifyOptions{}))
	}
	d := p.digest()
	d.record(rec)
	p.end = Position{rec.Pos.Segment, rec.Pos.Off + rec.Len}
	p.crc = rec.CRC
	d.end, d.ended = p.end.Off, chainEnd{p.crc, true}
}

func (p *intactPart) digest() *digest { return p.survey.digests[len(p.survey.digests)-1] }

// records returns how many records were read of the last segment.
func (p *intactPart) records() int64 { return p.digest().records }

// view returns the logical log as of the end of the intact part. To read it again it lacks the log.
func (p *intactPart) view() (*View, error) {
	s := &p.survey
	if s.full = p.budget.spent(); s.full {
		return nil, ErrTooManyEvents
	}
	if len(s.digests) > 0 {
		s.follow()
	}
	return s.view(nil), nil
}
