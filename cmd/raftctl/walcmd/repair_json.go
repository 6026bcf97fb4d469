package walcmd

import (
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
	x := repaired{Plan: r.plan}
	if r.result != nil {
		x.Applied, x.Change = true, r.result.Change
	}
	return x
}
