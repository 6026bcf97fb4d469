package repair

import "context"

// correctBytes puts back bytes that are proven to be wrong.
type correctBytes struct{}

func (correctBytes) Name() string { return "correct" }
func (correctBytes) Doc() string {
	return "put back bytes that are proven wrong, where exactly one correction proves"
}
func (correctBytes) Applies(f *Finding) bool { return f.Log != nil }

func (r correctBytes) do(ctx context.Context, d *draft, f *Finding) (bool, error) { return false, nil }

type dropSegment struct{}

func (dropSegment) Name() string { return "drop_segment" }
func (dropSegment) Doc() string {
	return "leave out a segment that is another log's, is there twice, or holds nothing"
}
func (dropSegment) Applies(f *Finding) bool { return false }

func (r dropSegment) do(ctx context.Context, d *draft, f *Finding) (bool, error) { return false, nil }

type quarantine struct{}

func (quarantine) Name() string            { return "quarantine" }
func (quarantine) Doc() string             { return "put a damaged .snap file aside, as etcd does" }
func (quarantine) Applies(f *Finding) bool { return false }

func (r quarantine) do(ctx context.Context, d *draft, f *Finding) (bool, error) { return false, nil }
