package repair

import (
	"context"
)

// neutralise puts an empty entry in the place of one that is lost, or that etcd can't apply.
type neutralise struct{}

func (neutralise) Name() string { return "neutralise" }
func (neutralise) Doc() string {
	return "put empty entries in the place of those that are lost or can't be applied; only where that loss is accepted"
}
func (neutralise) Applies(f *Finding) bool   { return f.Log != nil }
func (neutralise) asked(o *PlanOptions) bool { return len(o.Neutralise) > 0 }

func (r neutralise) solve(ctx context.Context, d *draft, problems []*Finding) (*solution, error) {
	return nil, nil
}
