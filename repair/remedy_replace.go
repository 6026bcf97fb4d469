package repair

import (
	"context"
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/repair/edit"
)

// replaceSegment puts the whole copy of a damaged segment in its place: one that lies elsewhere in the log, where it
// doesn't go on from what is before it.
type replaceSegment struct{}

func (replaceSegment) Name() string { return "replace_segment" }
func (replaceSegment) Doc() string {
	return "put the whole copy of a damaged segment in its place, which the checksums of its neighbours prove"
}
func (replaceSegment) Applies(f *Finding) bool { return renameSegment{}.Applies(f) }

func (r replaceSegment) do(ctx context.Context, d *draft, f *Finding) (bool, error) {
	if others, err := d.minority(ctx); len(others) > 0 || err != nil {
		return false, err // what is another member's goes first
	}
	links, err := d.links(ctx)
	if err != nil {
		return false, err
	}
	for i := range links {
		k := d.copyOf(links, i)
		if k < 0 {
			continue
		}
		held, _, err := d.entriesOf(ctx, i)
		if err != nil {
			return false, err
		}
		from, to := links[k].segment.File, links[i].segment.File
		change := func(c *edit.Changes) {
			c.Drop = append(c.Drop, d.original(to))
			c.Rename = merged(c.Rename, []edit.Rename{{From: d.original(from), To: to}})
			c.Rename = slices.DeleteFunc(c.Rename, func(x edit.Rename) bool { return x.From == d.original(to) })
		}
		ok, err := d.attempt(ctx, change, held.in)
		if err != nil {
			return false, err
		}
		if ok {
			d.plan.Steps = append(d.plan.Steps, newStep(r.Name(), []*Finding{f}, fmt.Sprintf("rename %s to %s, in the place of that, which "+
				"is damaged", from, to), "it is whole, and its checksums begin and end as those beside that place demand"))
			return true, nil
		}
	}
	return false, nil
}

// copyOf returns the only whole segment that is a copy of the i-th as that was before it was damaged; -1 if there is none.
// Checksums run through all records of a log: what begins with that of the segment before and ends with that of the
// segment behind, and is whole, is what was between them.
func (d *draft) copyOf(links []link, i int) int {
	if links[i].whole || i+1 >= len(links) || links[i+1].begin == 0 {
		return -1
	}
	own, known := d.metadataOf(i + 1)
	begin, first := uint32(0), i == 0 && links[i].segment.Name.Seq == 0
	switch {
	case first: // checksums begin with 0
	case i > 0 && links[i-1].end != 0:
		begin = links[i-1].end
	default:
		return -1
	}
	k := only(links, func(x *link) bool { return x.whole && x.begin == begin && x.end == links[i+1].begin })
	if k < 1 || !known || links[k-1].end == links[k].begin {
		return -1
	}
	if m, ok := d.metadataOf(k); !ok || m != own {
		return -1
	}
	return k
}
