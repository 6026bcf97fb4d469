package wal

import (
	"bytes"
	"iter"

	"github.com/raftctl/raftctl/raftpb"
)

// Mode says what a reader does when it finds damage.
type Mode uint8

const (
	// Inspect goes on behind damage, at the next record that proves itself by its checksum.
	Inspect Mode = iota
	// Recover stops at the first damage, which is the last record that it yields: everything before
	// it is proven.
	Recover
)

// Records reads the log from its first record to its last, in the order of the bytes, in constant
// memory. Damage is a record of KindDamage; an error is one of reading the files, and the last
// thing yielded. A record is valid until the next one is asked for.
//
// The offsets within a segment never go back. In Inspect mode the Len of its records add up to its
// size; only the space that was allocated ahead of the last record of the log is not accounted for:
// it is known to be zero.
func (l *Log) Records(mode Mode) iter.Seq2[*Record, error] {
	return l.recordsFrom(0, mode)
}

// recordsFrom is Records from segment k on.
func (l *Log) recordsFrom(k int, mode Mode) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		r := newReader(l, mode)
		r.at = k - 1
		r.all(yield)
	}
}

// all yields what is left to read, and closes the reader.
func (r *reader) all(yield func(*Record, error) bool) {
	defer r.close()
	for {
		rec, err := r.next()
		if err != nil {
			yield(nil, err)
			return
		}
		if rec == nil || !yield(rec, nil) {
			return
		}
	}
}

// SegmentRecords yields the records of one segment, the i-th of [Log.Segments], as [Log.Records] does
// in Inspect mode. How the segment follows the one before is not looked at: of a log that is not
// sound, Records may yield more, or other records.
func (l *Log) SegmentRecords(i int) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		for rec, err := range l.recordsFrom(i, Inspect) {
			if err == nil && rec.Pos.Segment != l.segments[i].File || !yield(rec, err) {
				return
			}
		}
	}
}

// RecordsFrom yields the records from the i-th of [Log.Segments] on, as [Log.Records] does in Inspect mode. How that
// segment follows the one before is not looked at: where both are sound, the records are the same.
func (l *Log) RecordsFrom(i int) iter.Seq2[*Record, error] { return l.recordsFrom(i, Inspect) }

// reader reads the segments of a log one after the other, and checks how they continue each other.
type reader struct {
	log  *Log
	mode Mode

	at       int // the segment that scan reads; -1 before the first
	scan     *scanner
	release  func()
	silent   bool      // nothing was told of the segment yet
	breaks   []Finding // how the segment follows the one before, to be told first
	held     *Record   // what to tell after the breaks
	told     Record
	metadata []byte // of the first metadata record
	finished bool
}

func newReader(l *Log, mode Mode) *reader {
	return &reader{log: l, mode: mode, at: -1, release: func() {}}
}

func (r *reader) close() { r.release() }

// next returns the next record, or nil at the end.
func (r *reader) next() (*Record, error) {
	for !r.finished {
		rec, err := r.step()
		if err != nil {
			r.finished = true
			return nil, err
		}
		if rec != nil {
			r.silent = false
			r.finished = r.mode == Recover && rec.Kind == KindDamage
			return rec, nil
		}
		if err := r.advance(); err != nil {
			r.finished = true
			return nil, err
		}
	}
	return nil, nil
}

// step returns the next record of the current segment, or nil at its end.
func (r *reader) step() (*Record, error) {
	if len(r.breaks) > 0 {
		return r.breakRecord(), nil
	}
	if rec := r.held; rec != nil {
		r.held = nil
		return rec, nil
	}
	if r.scan == nil {
		return nil, nil
	}
	rec, err := r.scan.next()
	if err != nil || rec == nil {
		return nil, err
	}
	if rec.Kind == KindMetadata && !r.sameMetadata(rec) {
		r.held = rec
		return r.breakRecord(), nil
	}
	return rec, nil
}

// breakRecord returns the first of the breaks as a record. It takes no bytes.
func (r *reader) breakRecord() *Record {
	d := r.breaks[0]
	r.breaks = r.breaks[1:]
	r.told = Record{Kind: KindDamage, Pos: d.Pos, Damage: &d}
	return &r.told
}

// sameMetadata reports whether metadata is that of the log. If it is not, it adds a break.
func (r *reader) sameMetadata(rec *Record) bool {
	if r.metadata == nil {
		r.metadata = append([]byte{}, rec.Data...)
		return true
	}
	if bytes.Equal(r.metadata, rec.Data) {
		return true
	}
	r.breaks = append(r.breaks, Finding{
		Class:    ClassMetadata,
		Severity: severities[ClassMetadata],
		Pos:      rec.Pos,
		Len:      rec.Len,
		Before:   r.scan.prior.last,
		Evidence: metadataText(rec.Data, r.metadata),
	})
	return false
}

// advance goes on to the next segment, if there is one.
func (r *reader) advance() error {
	if r.scan != nil && r.silent {
		r.breaks = []Finding{{
			Class: ClassEmptySegment, Severity: severities[ClassEmptySegment], Pos: Position{r.scan.name, 0}, Before: r.scan.prior.last,
			Evidence: emptyText,
		}}
		r.silent = false
		return nil
	}
	if r.at+1 >= len(r.log.segments) {
		r.finished = true
		return nil
	}
	before, next := r.scan, r.at+1
	seed, seeded := r.seed(before, next)
	scan, release, err := r.log.scan(next, seed, seeded)
	if err != nil {
		return err
	}
	r.release()
	r.at, r.scan, r.release, r.silent = next, scan, release, true
	if before != nil {
		scan.prior.last = before.prior.last
		r.join(before.prior.last)
	}
	return nil
}

// seed returns the checksum that segment next continues, as far as it is known.
func (r *reader) seed(before *scanner, next int) (crc uint32, seeded bool) {
	segs := r.log.segments
	switch {
	case before != nil:
		return before.sum, before.seeded && segs[next].Name.Seq == segs[next-1].Name.Seq+1
	case next == 0:
		return r.log.firstSeed()
	}
	return 0, false
}

// firstSeed returns the checksum that the first segment continues: 0, unless segments before it
// were removed.
func (l *Log) firstSeed() (crc uint32, seeded bool) {
	_, named := l.dialect.readFileName(l.segments[0].File)
	return 0, named && l.segments[0].Name.Seq == 0
}

// join adds a break if the name of the current segment doesn't follow that of the one before.
func (r *reader) join(last raftpb.EntryID) {
	// How the checksums link is told by the scanner, which knows what comes before.
	class, evidence := linkSegments(
		r.log.segments[r.at-1].Name, r.log.segments[r.at].Name, chainEnd{}, chainEnd{})
	if class == "" {
		return
	}
	d := Finding{Class: class, Severity: severities[class], Pos: Position{r.scan.name, 0}, Before: last, Evidence: evidence}
	if head, ok := r.scan.probe.frame(0); ok {
		d.After = r.scan.probe.entryAfter(head.crc, head.end())
	}
	r.breaks = append(r.breaks, d)
}

// scan returns a scanner for segment i, and a function that is to be called when it is done with.
// The checksum of the chain before the segment is seed, if seeded.
func (l *Log) scan(i int, seed uint32, seeded bool) (*scanner, func(), error) {
	f, err := l.openSegment(i)
	if err != nil {
		return nil, nil, err
	}
	s := newScanner(f, scanOptions{
		name:     l.segments[i].File,
		kinds:    l.dialect,
		size:     l.segments[i].Size,
		tail:     i == len(l.segments)-1,
		still:    l.still,
		seed:     seed,
		seeded:   seeded,
		nextSeed: func() (uint32, bool) { return l.head(i + 1) },
	})
	return s, func() { _ = f.Close() }, nil // opened for reading: nothing can be lost
}

// head returns the checksum that segment i begins with, if it follows the one before without a gap.
func (l *Log) head(i int) (crc uint32, ok bool) {
	if i >= len(l.segments) || l.segments[i].Name.Seq != l.segments[i-1].Name.Seq+1 {
		return 0, false
	}
	f, err := l.openSegment(i)
	if err != nil {
		return 0, false
	}
	defer func() { _ = f.Close() }() // opened for reading: nothing can be lost
	p := newProbe(f, l.segments[i].Size, l.dialect)
	head, ok := p.frame(0)
	return head.crc, ok && head.kind == KindCRC
}
