package walcmd

import (
	"slices"

	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/repair/change"
)

// repaired is a plan, and what was made by it.
type repaired struct {
	*repair.Plan
	Applied bool           `json:"applied"`
	Change  *change.Change `json:"change,omitempty"`
}

func (r *repairing) json() any {
	x := repaired{Plan: shown(r.plan)}
	if r.result != nil {
		x.Applied, x.Change = true, r.result.Change
	}
	return x
}

// shownBytes is how many bytes of a correction are printed: more may be a secret of the entries that are put back. The
// file that --plan writes has all.
const shownBytes = 8

// shown returns a plan as it is printed.
func shown(p *repair.Plan) *repair.Plan {
	c := *p
	c.Changes.Patches = slices.Clone(p.Changes.Patches)
	for i := range c.Changes.Patches {
		if x := &c.Changes.Patches[i]; len(x.New) > shownBytes {
			x.Old, x.New = nil, nil
		}
	}
	return &c
}
