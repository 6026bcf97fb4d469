package edit

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/wal"
)

// prove reads the new log and compares it with what it was made of: every entry that was intact is in it, unless
// the plan says otherwise, and it holds no other ones.
func (m *maker) prove(ctx context.Context, made *wal.Log) (*outlook.Report, error) {
	var o outlook.Options
	if m.Progress != nil {
		total := int64(0)
		for _, s := range made.Segments() {
			total += s.Size
		}
		o.Verify.Progress = func(done int64) { m.Progress("verify the result", done, total) }
	}
	report, err := outlook.Examine(ctx, made, o)
	if err != nil {
		return nil, err
	}
	for i := range report.Findings {
		f := &report.Findings[i]
		if f.Severity == wal.SeverityError && !m.known(f) {
			return nil, &NotWholeError{*f}
		}
	}
	if m.Changes.Rewrite == nil {
		return report, m.sameEnd(ctx, made)
	}
	return report, m.compare(ctx, made, report.View)
}

// NotWholeError is returned when what comes of the changes is not whole: a plan that was made without trying it.
type NotWholeError struct{ Finding wal.Finding }

// Error says what would be wrong.
func (e *NotWholeError) Error() string {
	return fmt.Sprintf("what comes of the plan is not whole, and was not kept: %v; with other members, given by --from, "+
		"there may be another way", &e.Finding)
}

// Refused reports that this is a refusal, for the exit status.
func (e *NotWholeError) Refused() bool { return true }

// sameEnd compares a log that was only copied with the source, as corrected: where the checksums that run through
// all records end alike, no record differs.
func (m *maker) sameEnd(ctx context.Context, made *wal.Log) error {
	want, err := endOf(m.log)
	if err != nil {
		return err
	}
	got, err := endOf(made)
	if err == nil && got != want {
		err = fmt.Errorf("the result ends at %v with crc %08x, want %v with crc %08x: a bug of raftctl", got.at, got.crc, want.at, want.crc)
	}
	return errors.Join(err, ctx.Err())
}

// logEnd is how a log ends.
type logEnd struct {
	at  wal.Position
	crc uint32
}

func endOf(log *wal.Log) (end logEnd, err error) {
	for rec, err := range log.SegmentRecords(len(log.Segments()) - 1) {
		if err != nil {
			return end, err
		}
		end = logEnd{rec.Pos, rec.CRC}
	}
	return end, nil
}

// known reports whether a finding is about what lies beside the log, or what etcd does about that: the source has it
// as well, and no change of the log makes it.
func (m *maker) known(f *wal.Finding) bool {
	switch f.Class {
	case outlook.ClassEtcdStop, wal.ClassSnapshotFile, outlook.ClassSnapshotNewer, outlook.ClassSecondLog,
		wal.ClassLostEnd:
		return true
	}
	return false
}

// compare compares the entries of the new log with those of the source, and of the donors: a part of them for each of
// its segments, some at a time.
func (m *maker) compare(ctx context.Context, made *wal.Log, view *wal.View) error {
	parts := []Range{{m.lowest, math.MaxUint64}}
	for _, s := range made.Segments() {
		if last := &parts[len(parts)-1]; s.Name.Index > last.First {
			last.Last = s.Name.Index - 1
			parts = append(parts, Range{s.Name.Index, math.MaxUint64})
		}
	}
	return InParallel(ctx, len(parts), func(ctx context.Context, i int) error { return m.comparePart(ctx, view, parts[i]) })
}

// comparePart compares the entries of some indexes.
func (m *maker) comparePart(ctx context.Context, made *wal.View, part Range) error {
	next, stop := iter.Pull2(entriesOf(made, part))
	defer stop()
	got, err, ok := next()
	n := 0
	for want, wantErr := range m.expected(part) {
		if n++; wantErr == nil && n%pollEvery == 0 {
			wantErr = ctx.Err()
		}
		if wantErr != nil {
			return wantErr
		}
		if !ok || err != nil || !sameEntry(got, want.Entry) {
			return m.differs(want.Entry, got, err, ok)
		}
		got, err, ok = next()
	}
	if ok && err == nil {
		return fmt.Errorf("the result has entry %v, which isn't planned: a bug of raftctl", got.ID())
	}
	return err
}

// entriesOf yields the live entries of a log of some indexes.
func entriesOf(log *wal.View, part Range) iter.Seq2[*raftpb.Entry, error] {
	return func(yield func(*raftpb.Entry, error) bool) {
		for e, err := range log.Entries(part.First) {
			if err == nil && e.Index > part.Last || !yield(e.Entry, err) || err != nil {
				return
			}
		}
	}
}

func (m *maker) differs(want, got *raftpb.Entry, err error, ok bool) error {
	switch {
	case err != nil:
		return err
	case !ok:
		return fmt.Errorf("the result ends before entry %v: a bug of raftctl", want.ID())
	}
	return fmt.Errorf("the result has entry %v, want %v as it was: a bug of raftctl", got.ID(), want.ID())
}

func sameEntry(a, b *raftpb.Entry) bool {
	return a.Index == b.Index && a.Term == b.Term && a.Type == b.Type && bytes.Equal(a.Data, b.Data)
}

// expected yields the entries of some indexes that the new log is to hold.
func (m *maker) expected(part Range) iter.Seq2[wal.LiveEntry, error] {
	return func(yield func(wal.LiveEntry, error) bool) {
		for _, p := range m.pieces(part) {
			if p.made != nil {
				if !yield(wal.LiveEntry{Entry: p.made}, nil) {
					return
				}
				continue
			}
			for e, err := range p.view.Replay(p.first, p.last) {
				if !yield(e, err) {
					return
				}
			}
		}
	}
}

// piece is entries of the new log, and where they come from: a log, or the plan.
type piece struct {
	view        *wal.View
	made        *raftpb.Entry
	first, last uint64
}

// pieces returns where the entries of some indexes of the new log come from, in order.
func (m *maker) pieces(part Range) (list []piece) {
	r := m.Changes.Rewrite
	gone := m.gone()
	for _, rng := range m.view.Ranges {
		p := piece{view: m.view, first: rng.First, last: rng.Last}
		if r != nil && r.Begin != nil {
			p.first = max(p.first, r.Begin.Index+1)
		}
		list = append(list, p.without(gone)...)
	}
	if r == nil {
		return list
	}
	for i := range r.Insert {
		in := &r.Insert[i]
		var e raftpb.Entry
		switch {
		case in.Donor > 0:
			list = append(list, piece{view: m.Donors[in.Donor-1], first: in.First, last: in.Last})
		case wal.Kind(in.Kind) == wal.KindEntry && e.Unmarshal(in.Data) == nil:
			list = append(list, piece{made: &e, first: e.Index, last: e.Index})
		}
	}
	for i := range list {
		list[i].first, list[i].last = max(list[i].first, part.First), min(list[i].last, part.Last)
	}
	list = slices.DeleteFunc(list, func(p piece) bool { return p.first > p.last })
	slices.SortFunc(list, func(a, b piece) int { return cmp.Compare(a.first, b.first) })
	return list
}

// gone returns the entries that the source may have and the new log doesn't take from it, in order: those that are lost,
// and those in the place of which others come in.
func (m *maker) gone() []Range {
	list := slices.Clone(m.Lost)
	if r := m.Changes.Rewrite; r != nil {
		for i := range r.Insert {
			if in := &r.Insert[i]; in.Donor > 0 {
				list = append(list, Range{First: in.First, Last: in.Last})
			}
		}
	}
	slices.SortFunc(list, func(a, b Range) int { return cmp.Compare(a.First, b.First) })
	return list
}

// without returns what is left of a piece without some entries.
func (p piece) without(lost []Range) (list []piece) {
	for _, l := range lost {
		if l.Last < p.first || l.First > p.last {
			continue
		}
		if before := p; l.First > p.first {
			before.last = l.First - 1
			list = append(list, before)
		}
		p.first = l.Last + 1
	}
	if p.first <= p.last {
		list = append(list, p)
	}
	return list
}
