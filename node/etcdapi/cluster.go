package etcdapi

import (
	"context"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
)

// clusterServer lists and changes the members.
type clusterServer struct {
	service
	pb.UnsafeClusterServer
}

func newClusterServer(s service) pb.ClusterServer { return &clusterServer{service: s} }

// MemberAdd implements etcdserverpb.ClusterServer. The ID of the new member follows from its URLs and the time.
func (s *clusterServer) MemberAdd(ctx context.Context, r *pb.MemberAddRequest) (*pb.MemberAddResponse, error) {
	urls, err := types.NewURLs(r.PeerURLs)
	if err != nil {
		return nil, rpctypes.ErrGRPCMemberBadURLs
	}
	now, construct := time.Now(), membership.NewMember
	if r.IsLearner {
		construct = membership.NewMemberAsLearner
	}
	m := construct("", urls, "", &now)
	members, err := s.changed(ctx, func() ([]*membership.Member, error) { return s.node.AddMember(ctx, *m) })
	if err != nil {
		return nil, statusOf(err)
	}
	return &pb.MemberAddResponse{Header: s.header(), Member: memberOf(m), Members: members}, nil
}

// MemberRemove implements etcdserverpb.ClusterServer.
func (s *clusterServer) MemberRemove(
	ctx context.Context, r *pb.MemberRemoveRequest,
) (*pb.MemberRemoveResponse, error) {
	members, err := s.changed(ctx, func() ([]*membership.Member, error) { return s.node.RemoveMember(ctx, r.ID) })
	if err != nil {
		return nil, statusOf(err)
	}
	return &pb.MemberRemoveResponse{Header: s.header(), Members: members}, nil
}

// MemberUpdate implements etcdserverpb.ClusterServer.
func (s *clusterServer) MemberUpdate(
	ctx context.Context, r *pb.MemberUpdateRequest,
) (*pb.MemberUpdateResponse, error) {
	m := membership.Member{
		ID: types.ID(r.ID), RaftAttributes: membership.RaftAttributes{PeerURLs: r.PeerURLs},
	}
	members, err := s.changed(ctx, func() ([]*membership.Member, error) {
		// etcd takes URLs that can't be read, and all members but the one that has them end.
		if _, err := types.NewURLs(r.PeerURLs); err != nil && s.node.Store().Cluster().Member(m.ID) != nil {
			return nil, rpctypes.ErrGRPCMemberBadURLs
		}
		return s.node.UpdateMember(ctx, m)
	})
	if err != nil {
		return nil, statusOf(err)
	}
	return &pb.MemberUpdateResponse{Header: s.header(), Members: members}, nil
}

// MemberPromote implements etcdserverpb.ClusterServer.
func (s *clusterServer) MemberPromote(
	ctx context.Context, r *pb.MemberPromoteRequest,
) (*pb.MemberPromoteResponse, error) {
	members, err := s.changed(ctx, func() ([]*membership.Member, error) { return s.node.PromoteMember(ctx, r.ID) })
	if err != nil {
		return nil, statusOf(err)
	}
	return &pb.MemberPromoteResponse{Header: s.header(), Members: members}, nil
}

// MemberList implements etcdserverpb.ClusterServer.
func (s *clusterServer) MemberList(
	ctx context.Context, r *pb.MemberListRequest,
) (*pb.MemberListResponse, error) {
	if r.Linearizable {
		if err := s.node.Read(ctx); err != nil {
			return nil, statusOf(err)
		}
	}
	if err := s.requireUser(ctx); err != nil {
		return nil, statusOf(err)
	}
	members := membersOf(s.node.Store().Cluster().Members())
	return &pb.MemberListResponse{Header: s.header(), Members: members}, nil
}

// changed makes a change of the membership, which only a user with role root may.
func (s *clusterServer) changed(
	ctx context.Context, change func() ([]*membership.Member, error),
) ([]*pb.Member, error) {
	if err := s.requireAdmin(ctx); err != nil {
		return nil, err
	}
	members, err := change()
	return membersOf(members), err
}

func membersOf(members []*membership.Member) []*pb.Member {
	list := make([]*pb.Member, len(members))
	for i, m := range members {
		list[i] = memberOf(m)
	}
	return list
}

func memberOf(m *membership.Member) *pb.Member {
	return &pb.Member{
		ID: uint64(m.ID), Name: m.Name, PeerURLs: m.PeerURLs, ClientURLs: m.ClientURLs, IsLearner: m.IsLearner,
	}
}
