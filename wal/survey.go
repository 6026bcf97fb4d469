package wal

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// survey is one pass over a log, and the history that it tells.
type survey struct {
	segs    []Segment
	digests []*digest
	found   findings
	live    liveLog
	single  bool // the log is a single file
	keptAll bool // all entries that were to be kept are
	full    bool // more events than maxEvents: the history is not known
}

// survey digests all segments in parallel, each once and from its beginning to its end, and then
// follows the history through the digests in order. So the result doesn't depend on timing.
func (l *Log) survey(ctx context.Context, o VerifyOptions) (*survey, error) {
	s := &survey{segs: l.Segments(), single: l.single}
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
			d := newDigest(k, b, &o)
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
	l.secondLook(ctx, s, b, &o)
	s.full, s.keptAll = b.spent(), b.kept.Load() >= 0
	s.follow()
	return s, nil
}

// headSize is how much of a segment its crc and metadata records take at most, as etcd writes them.
const headSize = 64

// secondLook reads those segments again that are damaged at their head: what the segment before ends
// with tells better what is wrong there.
func (l *Log) secondLook(ctx context.Context, s *survey, b *budget, o *VerifyOptions) {
	for k := 1; k < len(s.digests); k++ {
		d, prev := s.digests[k], s.digests[k-1]
		if d.damagedAt >= headSize || prev.err != nil || s.segs[k].Name.Seq != s.segs[k-1].Name.Seq+1 {
			continue
		}
		again := newDigest(k, b, o)
		again.before, again.chained = prev.ended.sum, prev.ended.known
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
	_, named := Etcd.readFileName(s.segs[0].File)
	s.live.begin(s.segs[0].Name, named)
	var chains []chain
	before, ends := chainEnd{}, -1 // and the chain that ends so
	for k, d := range s.digests {
		s.found.merge(&d.found)
		class, lost := s.link(k, before)
		if lost == 0 && before.known && d.seeded && ends >= 0 {
			chains[ends].linked = true
		}
		of := chainsOf(k, d.list.events)
		of[0].class, of[0].lost = class, lost
		chains = append(chains, of...)
		if before = d.chainEnd(before); d.records > 0 {
			ends = len(chains) - 1
		}
	}
	if s.full {
		s.found.add(place{}, ClassUnchecked, ErrTooManyEvents.Error())
		return
	}
	for i := range chains {
		s.followChain(chains, i)
	}
	s.live.end()
}

// followChain takes in chain i, unless it turns out to be foreign.
func (s *survey) followChain(chains []chain, i int) {
	c := &chains[i]
	d := s.digests[c.seg]
	if head := &c.events[0]; head.kind == eventHead {
		if c.lost != 0 {
			s.live.lose(hole{place{seg: c.seg}, c.class})
		}
		if c.seg > 0 {
			s.live.segment(s.segs[c.seg].Name, place{seg: c.seg})
		}
	}
	if why := s.foreign(chains, i); why != "" {
		s.skip(c, why)
		if i+1 < len(chains) && chains[i+1].seg == c.seg {
			chains[i+1].lost += c.to.off - c.events[0].at.off
		}
	} else {
		s.live.stateFirst = d.unpadded
		for k := range c.events {
			s.live.apply(&c.events[k])
		}
	}
	if last := i+1 == len(chains) || chains[i+1].seg != c.seg; last && d.err != nil {
		s.found.add(place{c.seg, d.end}, ClassUnchecked, d.err.Error())
		s.live.lose(hole{place{c.seg, d.end}, ClassUnchecked})
	}
}

// foreign tells why chain i is none of the log's, or nothing.
func (s *survey) foreign(chains []chain, i int) string {
	if chains[i].linked {
		return ""
	}
	if b := chains[i].bearing(); b.empty() && !b.foreign {
		return ""
	}
	ahead, behind := chains[i].lostAround()
	n := neighbours{ends: true, before: addLost(chains[i].lost, ahead), behind: behind}
	for k := i - 1; k >= 0; k-- {
		_, lost := chains[k].lostAround()
		n.before = addLost(n.before, lost)
		if b := chains[k].bearing(); !b.empty() {
			break
		}
		n.before = addLost(n.before, chains[k].lost)
	}
	for k := i + 1; k < len(chains) && n.after == nil; k++ {
		n.ends = false
		lost, _ := chains[k].lostAround()
		n.behind = addLost(n.behind, addLost(chains[k].lost, lost))
		if b := chains[k].bearing(); !b.empty() {
			n.after = &chains[k]
		}
	}
	return s.live.foreign(&chains[i], &n)
}

// skip notes that the records of a chain count for nothing.
func (s *survey) skip(c *chain, why string) {
	from := c.events[0].at
	b := c.bearing()
	what := "records"
	if b.first.Index > 0 {
		what = fmt.Sprintf("records with entries %d..%d", b.first.Index, b.last.Index)
	}
	s.found.add(from, ClassForeign, fmt.Sprintf(
		"behind the damage here lie intact %s of another log, which count for nothing: "+
			"they continue no checksum of this one, and %s", what, why))
	s.live.voids.close(from)
	s.live.voids.add(from, c.to)
	s.live.lose(hole{from, ClassForeign})
}

// link checks how segment k follows the one before. It returns the class of what is wrong, and how
// many bytes may be missing between the two: -1 if that isn't known.
func (s *survey) link(k int, before chainEnd) (c Class, lost int64) {
	d, at := s.digests[k], place{seg: k}
	if m := s.withMetadata(); d.meta != nil && !bytes.Equal(d.meta, m.meta) {
		s.found.add(place{k, d.metaOff}, ClassMetadata, metadataText(d.meta, m.meta))
	}
	if k == 0 {
		s.start()
		return "", 0
	}
	a, b := s.segs[k-1].Name, s.segs[k].Name
	c, evidence := linkSegments(a, b, before, chainEnd{d.seed, d.seeded})
	if c == "" {
		return "", 0
	}
	s.found.add(at, c, evidence)
	return c, -1
}

// chainEnd returns the chain behind the last record of the segment, or what it was before if the
// segment has none.
func (d *digest) chainEnd(before chainEnd) chainEnd {
	switch {
	case d.err != nil:
		return chainEnd{}
	case d.records == 0 && !d.ended.known:
		return before
	}
	return d.ended
}

// start checks the head of the first segment.
func (s *survey) start() {
	name := s.segs[0].Name
	switch {
	case s.single: // it says nothing about others
	case name.Seq != 0:
		s.found.add(place{}, ClassPurged, fmt.Sprintf(
			"the log begins with segment %d at index %d: older segments were removed",
			name.Seq, name.Index))
	case name.Index != 0:
		s.found.add(place{}, ClassNameIndex, fmt.Sprintf(
			"the first segment's name says index %d, want 0", name.Index))
	}
}
