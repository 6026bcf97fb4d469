package etcdapi

import (
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/metadata"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/node"
)

var needLeader = metadata.Pairs(rpctypes.MetadataRequireLeaderKey, rpctypes.MetadataHasLeader)

// TestHeaders makes requests that say more than the request.
func TestHeaders(t *testing.T) {
	ours, etcds := sides(t, node.Config{})
	version := func(v string) metadata.MD { return metadata.Pairs(rpctypes.MetadataClientAPIVersionKey, v) }
	compare(t, ours, etcds, []row{
		{name: "with a leader", r: get("a"), headers: needLeader},
		{name: "stream with a leader", r: &pb.LeaseKeepAliveRequest{ID: 1}, headers: needLeader},
		{name: "of another value", r: get("a"), headers: metadata.Pairs(rpctypes.MetadataRequireLeaderKey, "false")},
		{name: "version", r: get("a"), headers: version("3.7.3")},
	})
}

// TestBadVersion calls with a version that is no text, which gRPC's own client doesn't send.
func TestBadVersion(t *testing.T) {
	s := service{metrics: newMetrics(nil)}
	ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs(rpctypes.MetadataClientAPIVersionKey, "\xff"))
	if _, err := s.admit(ctx, "unary"); err != rpctypes.ErrGRPCInvalidClientAPIVersion {
		t.Errorf("got %v, want %v", err, rpctypes.ErrGRPCInvalidClientAPIVersion)
	}
}

// TestWithoutLeader takes a member's quorum away, and with it the leader.
func TestWithoutLeader(t *testing.T) {
	ours, etcds := sides(t, node.Config{})
	compare(t, ours, etcds, []row{
		{name: "put", r: put("a", "1")},
		{name: "grant", r: &pb.LeaseGrantRequest{ID: 7, TTL: 1000}},
	})
	var streams [2]pb.Lease_LeaseKeepAliveClient
	for i, s := range []*side{ours, etcds} {
		ctx := metadata.NewOutgoingContext(t.Context(), needLeader)
		stream, err := pb.NewLeaseClient(s.conn).LeaseKeepAlive(ctx)
		if err == nil {
			err = stream.Send(&pb.LeaseKeepAliveRequest{ID: 7})
		}
		if err == nil {
			_, err = stream.Recv()
		}
		if err != nil {
			t.Fatal(err)
		}
		streams[i] = stream
	}
	compare(t, ours, etcds, []row{{name: "add a voter that doesn't start", r: &pb.MemberAddRequest{
		PeerURLs: []string{etcdtest.Peers(t, 1)[0].URL},
	}}})
	for i, s := range []*side{ours, etcds} {
		s.await(t, "the leader is gone", func(r *pb.StatusResponse) bool { return r.Leader == 0 })
		if _, err := streams[i].Recv(); rpctypes.Error(err) != rpctypes.ErrNoLeader {
			t.Errorf("stream %d that wants a leader: %v, want %v", i, err, rpctypes.ErrNoLeader)
		}
	}
	compare(t, ours, etcds, []row{
		{name: "call that wants a leader", r: get("a", local), headers: needLeader},
		{name: "stream that wants a leader", r: &pb.LeaseKeepAliveRequest{ID: 7}, headers: needLeader},
		{name: "read, serializable", r: get("a", local)},
		{name: "call that doesn't want a leader", r: get("a", local), headers: metadata.Pairs("hasleader", "false")},
		{name: "read in a transaction, serializable", r: txnOf(get("a", local))},
		{name: "status", r: &pb.StatusRequest{}},
		{name: "members", r: &pb.MemberListRequest{}},
		{name: "leases", r: &pb.LeaseLeasesRequest{}},
		{name: "hash", r: &pb.HashKVRequest{}},
		{name: "move", r: &pb.MoveLeaderRequest{TargetID: 1}},
		{name: "wrong", r: put("", "")},
	})
	compareAtOnce(t, ours, etcds, []row{
		{name: "read", r: get("a")},
		{name: "read in pieces", r: get("a"), inPieces: true},
		{name: "read in a transaction", r: txnOf(get("a"))},
		{name: "put", r: put("a", "1")},
		{name: "token", r: token("root", "x")},
		{name: "renew", r: &pb.LeaseKeepAliveRequest{ID: 7}},
		{name: "time left", r: &pb.LeaseTimeToLiveRequest{ID: 7}},
		{name: "members, linearizable", r: &pb.MemberListRequest{Linearizable: true}},
		{name: "add", r: &pb.MemberAddRequest{PeerURLs: []string{"http://localhost:1"}, IsLearner: true}},
	})
}
