package edit

import (
	"fmt"
	"path/filepath"
)

// Check refuses changes that name what there can't be, where there are so many donors: a plan that was stored comes from a
// file, which anybody may have written.
func (c *Changes) Check(donors int) error {
	for _, name := range c.files() {
		if name != filepath.Base(name) || name == "." || name == ".." || name == string(filepath.Separator) {
			return fmt.Errorf("the plan is about a file %q, which is no name", name)
		}
	}
	for i := range c.Patches {
		if p := &c.Patches[i]; p.Off < 0 || len(p.Old) != len(p.New) {
			return fmt.Errorf("the plan replaces %d bytes by %d at offset %d", len(p.Old), len(p.New), p.Off)
		}
	}
	if c.Rewrite == nil {
		return nil
	}
	for i := range c.Rewrite.Insert {
		if in := &c.Rewrite.Insert[i]; in.Donor < 0 || in.Donor > donors || in.First > in.Last {
			return fmt.Errorf("the plan takes entries %d..%d from donor %d of %d", in.First, in.Last, in.Donor, donors)
		}
	}
	return nil
}

// files returns the names of all files that the changes are about.
func (c *Changes) files() (list []string) {
	list = append(append(list, c.Drop...), c.Quarantine...)
	for i := range c.Patches {
		list = append(list, c.Patches[i].Segment)
	}
	for _, r := range c.Rename {
		list = append(list, r.From, r.To)
	}
	for i := range c.Snapshots {
		list = append(list, c.Snapshots[i].Name)
	}
	return list
}
