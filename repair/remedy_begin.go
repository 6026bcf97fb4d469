package repair

import "context"

// dropLeading leaves out whole segments that etcd doesn't need: those before the one that its newest snapshot lies in.
type dropLeading struct{}

func (dropLeading) Name() string { return "drop_leading" }
func (dropLeading) Doc() string {
	return "leave out the first segments, which a snapshot has made superfluous and etcd would remove"
}
func (dropLeading) Applies(f *Finding) bool { return f.Log != nil }
func (dropLeading) asked(*PlanOptions) bool { return false }

func (r dropLeading) solve(ctx context.Context, d *draft, problems []*Finding) (*solution, error) {
	return nil, nil
}

// beginAnew begins the log at a snapshot.
type beginAnew struct{}

func (beginAnew) Name() string { return "begin_anew" }
func (beginAnew) Doc() string {
	return "begin the log anew at what the database has applied: a damaged stretch below that is harmless"
}
func (beginAnew) Applies(f *Finding) bool { return f.Log != nil }
func (beginAnew) asked(*PlanOptions) bool { return false }

func (r beginAnew) solve(ctx context.Context, d *draft, problems []*Finding) (*solution, error) {
	return nil, nil
}
