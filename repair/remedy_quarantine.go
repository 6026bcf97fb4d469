package repair

import (
	"context"
	"slices"

	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/snapshot"
)

// quarantine puts a .snap file aside that can't be read, or isn't the member's: etcd then starts from the next one
// that the log reaches.
type quarantine struct{}

func (quarantine) Name() string { return "quarantine" }
func (quarantine) Doc() string {
	return "put a .snap file aside that is damaged or not the member's, as etcd does: the next one that the log reaches counts"
}

func (quarantine) Applies(f *Finding) bool {
	return f.Class == string(outlook.ClassSnapshotCorrupt) || f.Class == string(outlook.ClassSnapshotForeign)
}

func (r quarantine) do(_ context.Context, d *draft, f *Finding) (bool, error) {
	if slices.Contains(d.plan.Changes.Quarantine, f.File) {
		return false, nil
	}
	d.plan.Changes.Quarantine = append(d.plan.Changes.Quarantine, f.File)
	d.stale = true
	d.files = slices.DeleteFunc(d.files, func(x snapshot.File) bool { return x.Name == f.File })
	d.plan.Steps = append(d.plan.Steps, newStep(r.Name(), []*Finding{f}, "rename "+f.File+" to "+f.File+".broken",
		"etcd can't start from it, and takes the next"))
	return true, nil
}
