package etcdapi

import (
	"math"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/raftctl/raftctl/node"
)

// TestLease makes the same requests to a node and to an etcd.
func TestLease(t *testing.T) {
	ours, etcds := sides(t, node.Config{})
	compare(t, ours, etcds, leases)
	r, err := pb.NewLeaseClient(ours.conn).LeaseGrant(t.Context(), &pb.LeaseGrantRequest{TTL: 100})
	if err != nil || r.ID <= 0 {
		t.Errorf("a lease of the server's choice: ID %d, %v", r.GetID(), err)
	}
}

var leases = []row{
	{name: "none", r: &pb.LeaseLeasesRequest{}},
	{name: "grant", r: &pb.LeaseGrantRequest{ID: 7, TTL: 1000}},
	{name: "grant again", r: &pb.LeaseGrantRequest{ID: 7, TTL: 1000}},
	{name: "time below 0", r: &pb.LeaseGrantRequest{ID: 8, TTL: -5}},
	{name: "time too large", r: &pb.LeaseGrantRequest{ID: 9, TTL: math.MaxInt64}},
	{name: "longest time", r: &pb.LeaseGrantRequest{ID: 10, TTL: 9000000000}},
	{name: "below 0", r: &pb.LeaseGrantRequest{ID: -11, TTL: 1000}},
	{name: "attach", r: &pb.PutRequest{Key: []byte("a"), Value: []byte("1"), Lease: 7}},
	{name: "attach", r: &pb.PutRequest{Key: []byte("b"), Value: []byte("1"), Lease: 7}},
	{name: "keep the lease", r: &pb.PutRequest{Key: []byte("b"), Value: []byte("2"), IgnoreLease: true}},
	{name: "both are attached", r: get("", all)},
	{name: "time left", r: &pb.LeaseTimeToLiveRequest{ID: 10}},
	{name: "time left of none", r: &pb.LeaseTimeToLiveRequest{ID: 99}},
	{name: "time left of none, with keys", r: &pb.LeaseTimeToLiveRequest{ID: 99, Keys: true}},
	{name: "time left of lease 0", r: &pb.LeaseTimeToLiveRequest{}},
	{name: "renew", r: &pb.LeaseKeepAliveRequest{ID: 7}},
	{name: "renew none", r: &pb.LeaseKeepAliveRequest{ID: 99}},
	{name: "renew lease 0", r: &pb.LeaseKeepAliveRequest{}},
	{name: "revoke", r: &pb.LeaseRevokeRequest{ID: 7}},
	{name: "its keys are gone", r: get("", all)},
	{name: "revoke again", r: &pb.LeaseRevokeRequest{ID: 7}},
	{name: "revoke lease 0", r: &pb.LeaseRevokeRequest{}},
	{name: "attach to one that is gone", r: &pb.PutRequest{Key: []byte("a"), Lease: 7}},
	{name: "renew one that is gone", r: &pb.LeaseKeepAliveRequest{ID: 7}},
	{name: "left over", r: &pb.LeaseRevokeRequest{ID: -11}},
	{name: "left over", r: &pb.LeaseRevokeRequest{ID: 8}},
	{name: "one left", r: &pb.LeaseLeasesRequest{}},
}
