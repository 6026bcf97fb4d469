package etcdapi

import (
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/node"
)

// member returns the first member, or the one that is a learner.
func (s *side) member(t *testing.T) *pb.Member { return s.find(t, false) }

func (s *side) learner(t *testing.T) *pb.Member { return s.find(t, true) }

func (s *side) find(t *testing.T, learner bool) *pb.Member {
	t.Helper()
	r, err := pb.NewClusterClient(s.conn).MemberList(t.Context(), &pb.MemberListRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range r.Members {
		if m.IsLearner == learner {
			return m
		}
	}
	t.Fatalf("no such member among %v", r.Members)
	return nil
}

// TestCluster makes the same requests to a node and to an etcd of one member, with a learner that never starts.
func TestCluster(t *testing.T) {
	ours, etcds := sides(t, node.Config{})
	peers := etcdtest.Peers(t, 2)
	url := func(i int) []string { return []string{peers[i].URL} }
	ofLearner := func(make func(m *pb.Member) proto.Message) func(*testing.T, *side) proto.Message {
		return func(t *testing.T, s *side) proto.Message { return make(s.learner(t)) }
	}
	compare(t, ours, etcds, []row{
		{name: "list", r: &pb.MemberListRequest{}},
		{name: "list, linearizable", r: &pb.MemberListRequest{Linearizable: true}},
		{name: "no URL", r: &pb.MemberAddRequest{}},
		{name: "bad URL", r: &pb.MemberAddRequest{PeerURLs: []string{"localhost"}}},
		{name: "bad scheme", r: &pb.MemberAddRequest{PeerURLs: []string{"ftp://localhost:1"}}},
		{name: "path", r: &pb.MemberAddRequest{PeerURLs: []string{"http://localhost:1/x"}, IsLearner: true}},
		{name: "URL in use", of: func(t *testing.T, s *side) proto.Message {
			return &pb.MemberAddRequest{PeerURLs: s.member(t).PeerURLs, IsLearner: true}
		}},
		{name: "learner", r: &pb.MemberAddRequest{PeerURLs: url(0), IsLearner: true}},
		{name: "list", r: &pb.MemberListRequest{}},
		{name: "same learner", r: &pb.MemberAddRequest{PeerURLs: url(0), IsLearner: true}},
		{name: "second learner", r: &pb.MemberAddRequest{PeerURLs: url(1), IsLearner: true}},
		{name: "promote none", r: &pb.MemberPromoteRequest{ID: 99}},
		{name: "promote a voter", of: func(t *testing.T, s *side) proto.Message {
			return &pb.MemberPromoteRequest{ID: s.member(t).ID}
		}},
		{name: "promote one that hasn't started", of: ofLearner(func(m *pb.Member) proto.Message {
			return &pb.MemberPromoteRequest{ID: m.ID}
		})},
		{name: "to a learner", of: ofLearner(func(m *pb.Member) proto.Message {
			return &pb.MoveLeaderRequest{TargetID: m.ID}
		})},
		{name: "update", of: ofLearner(func(m *pb.Member) proto.Message {
			return &pb.MemberUpdateRequest{ID: m.ID, PeerURLs: url(1)}
		})},
		{name: "update to what another has", of: func(t *testing.T, s *side) proto.Message {
			return &pb.MemberUpdateRequest{ID: s.learner(t).ID, PeerURLs: s.member(t).PeerURLs}
		}},
		{name: "update none", r: &pb.MemberUpdateRequest{ID: 99, PeerURLs: url(0)}},
		{name: "remove none", r: &pb.MemberRemoveRequest{ID: 99}},
		{name: "remove", of: ofLearner(func(m *pb.Member) proto.Message { return &pb.MemberRemoveRequest{ID: m.ID} })},
		{name: "list", r: &pb.MemberListRequest{Linearizable: true}},
		{name: "remove the only voter", of: func(t *testing.T, s *side) proto.Message {
			return &pb.MemberRemoveRequest{ID: s.member(t).ID}
		}},
		{name: "alive", r: put("a", "1")},
	})
}

// etcd takes peer URLs for a member that can't be read, and the others end.
func TestUpdateWithBadURLs(t *testing.T) {
	n, endpoint := startNode(t, node.Config{}, Options{})
	c := pb.NewClusterClient(dial(t, endpoint).conn)
	for _, urls := range [][]string{nil, {"http://127.0.0.1"}, {"127.0.0.1:2380"}} {
		_, err := c.MemberUpdate(t.Context(), &pb.MemberUpdateRequest{ID: n.ID(), PeerURLs: urls})
		if status.Convert(err).Message() != status.Convert(rpctypes.ErrGRPCMemberBadURLs).Message() {
			t.Errorf("update to %q: %v", urls, err)
		}
	}
}
