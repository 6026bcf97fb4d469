package repair

import (
	"bytes"
	"context"
	"fmt"
	"iter"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/wal"
)

// prove reads the new log and compares it with what it was made of: every entry that was intact is in it, unless
// the plan says otherwise, and it holds no other ones.
func (w *logWriter) prove(ctx context.Context, made *wal.Log) (*outlook.Report, error) {
	report, err := outlook.Examine(ctx, made, outlook.Options{})
	if err != nil {
		return nil, err
	}
	for i := range report.Findings {
		f := &report.Findings[i]
		if f.Severity == wal.SeverityError && !w.known(f) {
			return nil, fmt.Errorf("the result is not as planned, which is a bug of raftctl: %v", f)
		}
	}
	return report, w.compare(ctx, report.View)
}

// known reports whether a finding on the new log was one on the source.
func (w *logWriter) known(f *wal.Finding) bool {
	return f.Class == outlook.ClassEtcdStop || f.Class == wal.ClassEtcdStart
}

// compare compares the entries of the new log with those of the source, and of the donors.
func (w *logWriter) compare(ctx context.Context, made *wal.View) error {
	next, stop := iter.Pull2(made.Entries(0))
	defer stop()
	got, err, ok := next()
	n := 0
	for want, wantErr := range w.expected() {
		if n++; wantErr == nil && n%pollEvery == 0 {
			wantErr = ctx.Err()
		}
		if wantErr != nil {
			return wantErr
		}
		if !ok || err != nil || !sameEntry(got.Entry, want.Entry) {
			return w.differs(want.Entry, &got, err, ok)
		}
		got, err, ok = next()
	}
	if ok && err == nil {
		return fmt.Errorf("the result has entry %v, which isn't planned: a bug of raftctl", got.ID())
	}
	return err
}

func (w *logWriter) differs(want *raftpb.Entry, got *wal.LiveEntry, err error, ok bool) error {
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
func (w *logWriter) expected() iter.Seq2[wal.LiveEntry, error] {
	return func(yield func(wal.LiveEntry, error) bool) {
		for _, p := range w.pieces() {
			for e, err := range p.view.Replay(p.first, p.last) {
				if !yield(e, err) {
					return
				}
			}
		}
	}
}

// piece is entries of the new log, and where they come from.
type piece struct {
	view        *wal.View
	first, last uint64
}

// pieces returns where the entries of the new log come from, in order.
func (w *logWriter) pieces() (list []piece) {
	var begin, end uint64
	r := w.plan.Changes.Rewrite
	lost := w.plan.Cost.Lost
	if r != nil && r.Begin != nil {
		begin = r.Begin.Index
	}
	if r != nil && r.End != (Place{}) && len(lost) > 0 {
		end = lost[0].First
	}
	for _, rng := range w.view.Ranges {
		p := piece{w.view, max(rng.First, begin+1), rng.Last}
		if end > 0 {
			p.last = min(p.last, end-1)
		}
		if p.first <= p.last {
			list = append(list, p)
		}
	}
	if r == nil {
		return list
	}
	for i := range r.Insert {
		if in := &r.Insert[i]; in.Donor > 0 {
			list = insertPiece(list, piece{w.donors[in.Donor-1], in.First, in.Last})
		}
	}
	return list
}

// insertPiece inserts a piece where it belongs.
func insertPiece(list []piece, p piece) []piece {
	for i := range list {
		if list[i].first > p.last {
			return append(list[:i], append([]piece{p}, list[i:]...)...)
		}
	}
	return append(list, p)
}
