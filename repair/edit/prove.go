package edit

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
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
	return report, m.compare(ctx, report.View)
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

// compare compares the entries of the new log with those of the source, and of the donors.
func (m *maker) compare(ctx context.Context, made *wal.View) error {
	next, stop := iter.Pull2(made.Entries(m.lowest))
	defer stop()
	got, err, ok := next()
	n := 0
	for want, wantErr := range m.expected() {
		if n++; wantErr == nil && n%pollEvery == 0 {
			wantErr = ctx.Err()
		}
		if wantErr != nil {
			return wantErr
		}
		if !ok || err != nil || !sameEntry(got.Entry, want.Entry) {
			return m.differs(want.Entry, &got, err, ok)
		}
		got, err, ok = next()
	}
	if ok && err == nil {
		return fmt.Errorf("the result has entry %v, which isn't planned: a bug of raftctl", got.ID())
	}
	return err
}

func (m *maker) differs(want *raftpb.Entry, got *wal.LiveEntry, err error, ok bool) error {
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

// expected yields the entries that the new log is to hold.
func (m *maker) expected() iter.Seq2[wal.LiveEntry, error] {
	return func(yield func(wal.LiveEntry, error) bool) {
		for _, p := range m.pieces() {
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

// pieces returns where the entries of the new log come from, in order.
func (m *maker) pieces() (list []piece) {
	r := m.Changes.Rewrite
	for _, rng := range m.view.Ranges {
		p := piece{view: m.view, first: rng.First, last: rng.Last}
		if r != nil && r.Begin != nil {
			p.first = max(p.first, r.Begin.Index+1)
		}
		list = append(list, p.without(m.Lost)...)
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
		list[i].first = max(list[i].first, m.lowest)
	}
	list = slices.DeleteFunc(list, func(p piece) bool { return p.first > p.last })
	slices.SortFunc(list, func(a, b piece) int { return cmp.Compare(a.first, b.first) })
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
