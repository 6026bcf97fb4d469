package remote

import (
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
)

// Pages grow step by step to some MiB, and become small at once where values are large.
func TestNextLimit(t *testing.T) {
	page := func(keys, size int) *pb.RangeResponse {
		r := new(pb.RangeResponse)
		for range keys {
			r.Kvs = append(r.Kvs, &mvccpb.KeyValue{Value: make([]byte, size-32)})
		}
		return r
	}
	for _, tc := range []struct {
		limit      int64
		keys, size int
		want       int64
	}{
		{16, 16, 100, 128},
		{16, 16, 1 << 20, 4},
		{16, 16, 1 << 22, 1},
		{16, 16, 1 << 25, 1},
		{128, 128, 4096, 1024},
		{1024, 1024, 4096, 1024},
		{1 << 14, 1 << 14, 32, maxPage},
		{100, 0, 100, 1},
	} {
		if got := nextLimit(tc.limit, page(tc.keys, tc.size)); got != tc.want {
			t.Errorf("%d keys of %d bytes, limit %d: %d, want %d", tc.keys, tc.size, tc.limit, got, tc.want)
		}
	}
}
