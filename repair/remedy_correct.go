package repair

import (
	"context"
	"errors"
	"fmt"

	"github.com/raftctl/raftctl/repair/correct"
	"github.com/raftctl/raftctl/repair/edit"
)

// correctBytes puts back bytes that are proven to be wrong, where exactly one correction proves.
type correctBytes struct{}

func (correctBytes) Name() string { return "correct" }
func (correctBytes) Doc() string {
	return "put back bytes that are wrong, such as a flipped bit or a length, where exactly one correction proves by its checksum"
}
func (correctBytes) Applies(f *Finding) bool { return f.Log != nil }

func (r correctBytes) do(ctx context.Context, d *draft, f *Finding) (bool, error) {
	c, err := correct.Find(ctx, d.log, f.Log)
	if unprovable, ok := errors.AsType[*correct.UnprovableError](err); ok {
		if unprovable.Fit > 1 {
			d.refuse(r.Name(), "%v", unprovable)
		}
		return false, nil
	}
	if err != nil {
		return false, err
	}
	d.patch(r.Name(), f, &edit.Patch{Segment: d.original(c.Pos.Segment), Off: c.Pos.Off, Old: c.Old, New: c.New}, c.How)
	return true, nil
}

// patch notes a correction of bytes.
func (d *draft) patch(remedy string, f *Finding, p *edit.Patch, why string) {
	d.plan.Changes.Patches = append(d.plan.Changes.Patches, *p)
	d.laid.Add(*p) // what is corrected next builds upon it
	d.plan.Cost.Changed += int64(len(p.New))
	does := fmt.Sprintf("%s: offset %d: %d bytes", p.Segment, p.Off, len(p.New))
	if len(p.New) <= shownBytes {
		does = fmt.Sprintf("%s: offset %d: %x becomes %x", p.Segment, p.Off, []byte(p.Old), []byte(p.New))
	}
	d.plan.Steps = append(d.plan.Steps, newStep(remedy, []*Finding{f}, does, why))
}

// shownBytes is how many bytes of a correction are shown.
const shownBytes = 8
