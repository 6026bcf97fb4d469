package wal

import (
	"context"
	"slices"

	"github.com/raftctl/raftctl/raftpb"
)

// Reached tells how far a segment was read, and what is known there.
type Reached struct {
	Off      int64
	Sum      uint32 // checksum of the chain before Off, if Seeded
	Seeded   bool
	Unpadded bool // the segment holds frames without padding

	prior prior
}

// Records returns how many records of the segment lie before Off.
func (r *Reached) Records() int { return r.prior.n }

// Last returns the last entry of the segment before Off, zero if there is none or damage took it.
func (r *Reached) Last() raftpb.EntryID {
	if r.prior.lost {
		return raftpb.EntryID{}
	}
	return r.prior.last
}

// Site is what the reader knows around a damage.
type Site struct {
	Segment int     // in Log.Segments
	Tail    bool    // it is the last one
	Size    int64   // of the segment
	Before  Reached // where the damage begins, or the frame with it
	Chained bool    // what comes before the segment proves the checksum that it begins with

	// Record is the record in that frame, proven intact but for what is damaged. Nil: there is none.
	Record *Record

	// End is where the next record begins that proves itself, or the end of the damaged bytes if none
	// does, which More tells.
	End  int64
	More bool

	// Next is the checksum that the segment behind this one begins with, if HasNext.
	Next    uint32
	HasNext bool
}

// Site returns what the reader knows around a finding of Verify, nil if the finding is not one of
// damaged bytes. The error is ctx's, or that of a read.
func (l *Log) Site(ctx context.Context, f *Finding) (*Site, error) {
	k := slices.IndexFunc(l.segments, func(s Segment) bool { return s.File == f.Pos.Segment })
	if k < 0 {
		return nil, nil
	}
	seed, seeded := uint32(0), false
	if k == 0 {
		seed, seeded = l.firstSeed()
	}
	x := siteSearch{log: l, ctx: ctx, finding: f, ord: k}
	site, err := x.read(seed, seeded)
	if !x.again || err != nil {
		return site, err
	}
	before, err := l.chainBehind(ctx, k-1)
	if err != nil {
		return nil, err
	}
	return x.read(before.sum, before.known)
}

// chainBehind returns the chain behind the last record of segment k.
func (l *Log) chainBehind(ctx context.Context, k int) (chainEnd, error) {
	d := newDigest(k, newBudget(), &VerifyOptions{})
	l.digestSegment(ctx, d, func(int64) {})
	if ctx.Err() != nil || d.err != nil {
		return chainEnd{}, ctx.Err()
	}
	return d.ended, nil
}

// siteSearch reads a segment up to a damage, in the way that found it.
type siteSearch struct {
	log     *Log
	ctx     context.Context
	finding *Finding
	ord     int
	again   bool // the head is damaged: what the segment before ends with tells better what is wrong
}

func (x *siteSearch) read(seed uint32, seeded bool) (*Site, error) {
	s, release, err := x.log.scan(x.ord, seed, seeded)
	if err != nil {
		return nil, err
	}
	defer release()
	first := !seeded && x.ord > 0 && x.log.follows(x.ord)
	for looked := int64(0); ; {
		at := s.reached()
		r, err := s.next()
		if r == nil || err != nil {
			return nil, err
		}
		if r.Kind == KindDamage {
			if first && r.Damage.Pos.Off < headSize && !x.again {
				x.again = true
				return nil, nil
			}
			first = false
			if r.Damage.Class == x.finding.Class && r.Damage.Pos == x.finding.Pos {
				site, err := x.site(s, at, r)
				site.Chained = seeded
				return site, err
			}
		}
		if s.off-looked >= progressStep {
			if looked = s.off; x.ctx.Err() != nil {
				return nil, x.ctx.Err()
			}
		}
	}
}

// reached returns how far the scanner has read.
func (s *scanner) reached() Reached {
	return Reached{s.off, s.sum, s.seeded, s.probe.unpadded, s.prior}
}

// site returns what is known around the damage that s has just told.
func (x *siteSearch) site(s *scanner, at Reached, r *Record) (*Site, error) {
	site := &Site{Segment: x.ord, Tail: s.tail, Size: s.size, Before: at, End: at.Off + r.Len}
	site.Next, site.HasNext = s.followingSeed()
	for {
		next, err := s.next()
		switch {
		case err != nil || next == nil:
			return site, err
		case next.Kind != KindDamage && next.Pos.Off == at.Off:
			site.Record, site.End = next, at.Off+next.Len // s is not read any further
			return site, nil
		case next.Kind != KindDamage || next.Pos.Off > at.Off:
			site.More = next.Pos.Off == site.End && site.End > at.Off && next.Kind != KindDamage
			return site, nil
		}
	}
}

// follows reports whether segment k has the number after that of the segment before it.
func (l *Log) follows(k int) bool { return l.segments[k].Name.Seq == l.segments[k-1].Name.Seq+1 }
