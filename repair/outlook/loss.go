package outlook

import (
	"cmp"
	"slices"

	"github.com/raftctl/raftctl/wal"
)

// Loss is what starting etcd on a member's files costs: live entries that it cuts off, or overwrites
// because it never reads them.
type Loss struct {
	wal.Outlook      // of the releases that lose most; they are alike in this
	Intact      bool // all that is lost is intact here: proven by its checksum, without a gap
}

// Loss returns what the releases lose that lose most: by committed entries, then by entries, then the
// newest ones. It is nil if none that starts loses a live entry. A release that ends on applying what
// it read has cut off by then what it cuts; one that ends before it reads cuts once that is mended.
func (r *Report) Loss() *Loss {
	var worst *wal.Outlook
	list := wal.FoldOutlooks(r.Report.Outlooks)
	for i := range list {
		o := &list[i]
		if starts(o.Action) && len(o.Lost) > 0 && (worst == nil || compareLoss(o, worst) >= 0) {
			worst = o
		}
	}
	if worst == nil {
		return nil
	}
	return &Loss{*worst, within(worst.Lost, r.Ranges)}
}

// within reports whether each of some ranges lies in one of others.
func within(inner, outer []wal.IndexRange) bool {
	return !slices.ContainsFunc(inner, func(i wal.IndexRange) bool {
		return !slices.ContainsFunc(outer, func(o wal.IndexRange) bool {
			return o.First <= i.First && i.Last <= o.Last
		})
	})
}

func compareLoss(a, b *wal.Outlook) int {
	return cmp.Or(cmp.Compare(a.Commits, b.Commits), cmp.Compare(entriesIn(a.Lost), entriesIn(b.Lost)))
}

func entriesIn(ranges []wal.IndexRange) (n uint64) {
	for _, r := range ranges {
		n += r.Len()
	}
	return n
}

// Cuts returns the newest releases that run on the files after they have cut off the log's end, without
// losing an entry that is there. It is nil if there are none, or if some release loses entries.
func (r *Report) Cuts() *Outlook {
	if r.Loss() != nil {
		return nil
	}
	list := Fold(r.Outlooks)
	for i := range slices.Backward(list) {
		if o := &list[i]; o.Action == wal.ActionDropsEnd && o.Stop == nil {
			return o
		}
	}
	return nil
}

// CutShort reports whether the log's last segment ends within a record: what was written behind that
// is nowhere to be found. (A crash leaves the segment's full length.)
func (r *Report) CutShort() bool {
	n := len(r.Segments)
	return n > 0 && slices.ContainsFunc(r.Findings, func(f wal.Finding) bool {
		last := &r.Segments[n-1]
		return f.Class == wal.ClassTorn && f.Pos.Segment == last.File && f.Pos.Off+f.Len >= last.Size
	})
}

// Runs reports whether some release gets going on the files, whatever it loses.
func (r *Report) Runs() bool {
	return slices.ContainsFunc(r.Outlooks, func(o Outlook) bool {
		return o.Stop == nil && starts(o.Action)
	})
}

// LostEnd reports whether something proves that the log went on behind what there is of it.
func (r *Report) LostEnd() bool {
	return slices.ContainsFunc(r.Findings, func(f wal.Finding) bool {
		return f.Class == wal.ClassLostEnd || f.Class == ClassSnapshotNewer
	})
}
