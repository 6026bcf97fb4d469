package wal

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/raftctl/raftctl/raftpb"
)

// survey is one pass over a log, and the history that it tells.
type survey struct {
	segs    []Segment
	digests []*digest
	found   findings
	live    liveLog
	full    bool // more events than maxEvents: the history is not known
}

// survey digests all segments in parallel, each once and from its beginning to its end, and then
// follows the history through the digests in order. So the result doesn't depend on timing.
func (l *Log) survey(ctx context.Context, o VerifyOptions) (*survey, error) {
	s := &survey{segs: l.Segments()}
	s.live.found = &s.found
	s.digests = make([]*digest, len(s.segs))
	b := newBudget()
	var next, done atomic.Int64
	var progress sync.Mutex
	work := func() {
		for ctx.Err() == nil {
			k := int(next.Add(1)) - 1
			if k >= len(s.segs) {
				return
			}
			d := newDigest(k, b, o.Deep)
			l.digestSegment(ctx, d, func(n int64) {
				if o.Progress != nil {
					progress.Lock()
					defer progress.Unlock()
					o.Progress(done.Add(n))
				}
			})
			s.digests[k] = d
		}
	}
	var wg sync.WaitGroup
	for range min(o.workers(), len(s.segs)) {
		wg.Go(work)
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l.secondLook(ctx, s, b, o.Deep)
	s.full = b.spent()
	s.follow()
	return s, nil
}

// headSize is how much of a segment its crc and metadata records take at most, as etcd writes them.
const headSize = 64

// secondLook reads those segments again that are damaged at their head: what the segment before ends
// with tells better what is wrong there.
func (l *Log) secondLook(ctx context.Context, s *survey, b *budget, deep func(*raftpb.Entry) error) {
	for k := 1; k < len(s.digests); k++ {
		d, prev := s.digests[k], s.digests[k-1]
		if d.damagedAt >= headSize || prev.err != nil || s.segs[k].Name.Seq != s.segs[k-1].Name.Seq+1 {
			continue
		}
		again := newDigest(k, b, deep)
		again.before, again.chained = prev.sum, true
		l.digestSegment(ctx, again, func(int64) {})
		s.digests[k] = again
	}
}

func (o *VerifyOptions) workers() int {
	if o.Parallel > 0 {
		return o.Parallel
	}
	return runtime.GOMAXPROCS(0)
}

func (s *survey) pos(p place) Position {
	if p.seg >= len(s.segs) {
		return Position{}
	}
	return Position{Segment: s.segs[p.seg].File, Off: p.off}
}

// follow goes through the digests in order.
func (s *survey) follow() {
	_, named := ParseSegmentName(s.segs[0].File)
	s.live.begin(s.segs[0].Name, named)
	for k, d := range s.digests {
		s.found.merge(&d.found)
		s.join(k)
		if s.full {
			continue
		}
		if k > 0 {
			s.live.segment(s.segs[k].Name, place{seg: k})
		}
		for i := range d.list.events {
			s.live.apply(&d.list.events[i])
		}
		if d.err != nil {
			s.found.add(place{k, d.end}, ClassUnchecked, d.err.Error())
			s.live.broken = true
		}
	}
	if s.full {
		s.found.add(place{}, ClassUnchecked, ErrTooManyEvents.Error())
		return
	}
	s.live.resolve(nil)
}

// join checks how segment k follows the one before.
func (s *survey) join(k int) {
	d, at := s.digests[k], place{seg: k}
	if m := s.withMetadata(); d.meta != nil && !bytes.Equal(d.meta, m.meta) {
		s.found.add(place{k, d.metaOff}, ClassMetadata, metadataText(d.meta, m.meta))
	}
	if k == 0 {
		s.start()
		return
	}
	if c, detail := compareNames(s.segs[k-1].Name, s.segs[k].Name); c != "" {
		s.fail(at, c, detail)
		return
	}
	if p := s.digests[k-1]; d.seeded && d.seed != p.sum && p.err == nil {
		s.fail(at, ClassCRCChain, fmt.Sprintf("continues from crc %08x, the segment before ends at %08x",
			d.seed, p.sum))
	}
}

// fail adds an error and notes that records may be missing there.
func (s *survey) fail(at place, c Class, detail string) {
	s.found.add(at, c, detail)
	s.live.broken = true
}

// start checks the head of the first segment.
func (s *survey) start() {
	name := s.segs[0].Name
	switch {
	case name.Seq != 0:
		s.found.add(place{}, ClassPurged, fmt.Sprintf(
			"the log begins with segment %d at index %d: older segments were removed",
			name.Seq, name.Index))
	case name.Index != 0:
		s.found.add(place{}, ClassNameIndex, fmt.Sprintf(
			"the first segment's name says index %d, want 0", name.Index))
	}
}
