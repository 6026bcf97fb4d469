package repair

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/edit"
	"github.com/raftctl/raftctl/wal"
)

// neutralise puts an empty entry of the same index in the place of one that is lost, or that etcd can't apply:
// what it said never happens on this member.
type neutralise struct{}

func (neutralise) Name() string { return "neutralise" }
func (neutralise) Doc() string {
	return "put empty entries in the place of those that are lost or that etcd can't apply; only where that loss is accepted"
}
func (neutralise) Applies(f *Finding) bool   { return f.Log != nil }
func (neutralise) asked(o *PlanOptions) bool { return len(o.Neutralise) > 0 }

func (r neutralise) solve(ctx context.Context, d *draft, problems []*Finding) (*solution, error) {
	s, err := d.scan(ctx)
	if err != nil || len(contradicting(problems)) > 0 {
		return nil, err
	}
	out := &solution{unheard: true, rewrite: &edit.Rewrite{Skip: slices.Clone(s.skips)}, cost: Cost{Written: s.size}}
	for _, h := range d.holes() {
		if h.Tail && h.missing() > 0 || h.overlaps {
			return nil, nil // nothing tells what it would have to go on with
		}
		if err := d.fillEmpty(&h, out); err != nil {
			return nil, err
		}
	}
	for _, index := range d.unwanted(problems) {
		if err := d.empty(index, out); err != nil {
			return nil, err
		}
	}
	if len(out.cost.Lost) == 0 {
		return nil, nil
	}
	slices.SortFunc(out.cost.Lost, func(a, b Range) int { return cmp.Compare(a.First, b.First) })
	out.rewrite.From = d.start(s, out.rewrite.Insert)
	d.endWith(out, d.view().Last)
	out.steps = []Step{newStep(r.Name(), problems, fmt.Sprintf("put empty entries in the place of %s", rangesText(out.cost.Lost)),
		"so that the log goes on; other members, if there are any, have applied what this one then never sees")}
	return out, nil
}

// unwanted returns the entries that are to be replaced although they are there.
func (d *draft) unwanted(problems []*Finding) []uint64 {
	list := slices.Clone(d.o.Neutralise)
	for _, f := range problems {
		if at := d.stopsAt(f); at > 0 && d.o.Start == "" && !slices.Contains(list, at) {
			list = append(list, at)
		}
	}
	slices.Sort(list)
	return slices.DeleteFunc(list, func(index uint64) bool {
		return !slices.ContainsFunc(d.view().Ranges, func(r wal.IndexRange) bool { return r.First <= index && index <= r.Last })
	})
}

// fillEmpty fills a hole with empty entries, of the term before it. What may have been overwritten they overwrite, and
// are of the term behind it then.
func (d *draft) fillEmpty(h *hole, out *solution) error {
	if h.Tail {
		return nil
	}
	at, err := d.within(h)
	if err != nil {
		return err
	}
	term, ok := d.termOf(h.First - 1)
	if !ok || h.Doubt < h.First {
		term, _ = d.termOf(h.Last + 1)
	}
	for index := h.Doubt; index <= h.Last; index++ {
		out.rewrite.Insert = append(out.rewrite.Insert, d.emptyEntry(at, raftpb.EntryID{Term: term, Index: index}))
	}
	d.lose(&out.cost, h.Doubt, h.Last)
	return nil
}

// empty replaces an entry by an empty one.
func (d *draft) empty(index uint64, out *solution) error {
	pos, err := d.locate(index)
	if err != nil {
		return err
	}
	rec, err := d.log.ReadAt(pos)
	if err != nil {
		return err
	}
	at := edit.PlaceOf(pos)
	out.rewrite.Skip = append(out.rewrite.Skip, edit.Span{Place: at, Len: rec.Len})
	out.rewrite.Insert = append(out.rewrite.Insert, d.emptyEntry(at, rec.ID))
	d.lose(&out.cost, index, index)
	return nil
}
func (d *draft) emptyEntry(at edit.Place, id raftpb.EntryID) edit.Insert {
	e := raftpb.Entry{Term: id.Term, Index: id.Index}
	return edit.Insert{At: at, Kind: uint8(wal.KindEntry), Data: e.Marshal(d.flavor())}
}

// rangesText names the first of some ranges.
func rangesText(list []Range) string {
	const most = 4
	text := ""
	for i, r := range list[:min(len(list), most)] {
		if i > 0 {
			text += ", "
		}
		text += r.String()
	}
	if more := len(list) - most; more > 0 {
		text += fmt.Sprintf(" and %d ranges more", more)
	}
	return text
}
