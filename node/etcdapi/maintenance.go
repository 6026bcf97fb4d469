package etcdapi

import (
	"cmp"
	"context"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.etcd.io/etcd/server/v3/etcdserver/errors"
	"go.etcd.io/etcd/server/v3/storage"
)

// maintenanceServer looks after a member.
type maintenanceServer struct {
	service
	health *health
	pb.UnsafeMaintenanceServer
}

func newMaintenanceServer(s service, h *health) pb.MaintenanceServer {
	return &maintenanceServer{service: s, health: h}
}

// Alarm implements etcdserverpb.MaintenanceServer. Who may not change alarms may still see them.
func (s *maintenanceServer) Alarm(ctx context.Context, r *pb.AlarmRequest) (*pb.AlarmResponse, error) {
	check := s.requireAdmin
	if r.GetAction() == pb.AlarmRequest_GET {
		check = s.requireUser
	}
	if err := check(ctx); err != nil {
		return nil, statusOf(err)
	}
	response, err := propose[*pb.AlarmResponse](ctx, &s.service, &pb.InternalRaftRequest{Alarm: r})
	if err == nil && response.Header == nil {
		response.Header = &pb.ResponseHeader{}
	}
	return answer(&s.service, response, err)
}

// Status implements etcdserverpb.MaintenanceServer.
func (s *maintenanceServer) Status(ctx context.Context, _ *pb.StatusRequest) (*pb.StatusResponse, error) {
	if err := s.requireUser(ctx); err != nil {
		return nil, statusOf(err)
	}
	store, now := s.node.Store(), s.node.Status()
	response := &pb.StatusResponse{
		Header:           &pb.ResponseHeader{},
		Version:          s.node.Version(),
		Leader:           now.Lead,
		RaftIndex:        now.Committed,
		RaftAppliedIndex: now.Applied,
		RaftTerm:         now.Term,
		IsLearner:        now.Learner,
		DbSizeQuota:      cmp.Or(s.node.Config().QuotaBytes, storage.DefaultQuotaBytes),
		DowngradeInfo:    &pb.DowngradeInfo{},
	}
	response.DbSize, response.DbSizeInUse = store.Size()
	if v := store.DetectedVersion(); v != nil {
		response.StorageVersion = v.String()
	}
	if d := store.Cluster().DowngradeInfo(); d != nil {
		response.DowngradeInfo.Enabled, response.DowngradeInfo.TargetVersion = d.Enabled, d.TargetVersion
	}
	if now.Lead == 0 {
		response.Errors = append(response.Errors, errors.ErrNoLeader.Error())
	}
	for _, a := range store.Alarms() {
		response.Errors = append(response.Errors, s.alarmText(a))
	}
	return answer(&s.service, response, nil)
}

// Defragment implements etcdserverpb.MaintenanceServer.
func (s *maintenanceServer) Defragment(
	ctx context.Context, _ *pb.DefragmentRequest,
) (*pb.DefragmentResponse, error) {
	if err := s.requireUpkeep(ctx); err != nil {
		return nil, err
	}
	if s.options.StopOnDefrag {
		s.health.set(false)
		defer s.health.set(true)
	}
	if err := s.node.Defragment(ctx); err != nil {
		return nil, statusOf(err)
	}
	return &pb.DefragmentResponse{}, nil
}

// Hash implements etcdserverpb.MaintenanceServer.
func (s *maintenanceServer) Hash(ctx context.Context, _ *pb.HashRequest) (*pb.HashResponse, error) {
	if err := s.requireUpkeep(ctx); err != nil {
		return nil, err
	}
	hash, err := s.node.Store().Hash()
	return answer(&s.service, &pb.HashResponse{Header: &pb.ResponseHeader{}, Hash: hash}, err)
}

// HashKV implements etcdserverpb.MaintenanceServer.
func (s *maintenanceServer) HashKV(ctx context.Context, r *pb.HashKVRequest) (*pb.HashKVResponse, error) {
	if err := s.requireUpkeep(ctx); err != nil {
		return nil, err
	}
	hash, current, err := s.node.Store().HashKV(r.Revision)
	return answer(&s.service, &pb.HashKVResponse{
		Header: &pb.ResponseHeader{Revision: current},
		Hash:   hash.Hash, CompactRevision: hash.CompactRevision, HashRevision: hash.Revision,
	}, err)
}

// MoveLeader implements etcdserverpb.MaintenanceServer: only the leader itself hands leadership on.
func (s *maintenanceServer) MoveLeader(
	ctx context.Context, r *pb.MoveLeaderRequest,
) (*pb.MoveLeaderResponse, error) {
	if err := s.requireAdmin(ctx); err != nil {
		return nil, statusOf(err)
	}
	if s.node.Status().Lead != s.node.ID() {
		return nil, rpctypes.ErrGRPCNotLeader
	}
	if err := s.node.MoveLeader(ctx, r.TargetID); err != nil {
		return nil, statusOf(err)
	}
	return &pb.MoveLeaderResponse{}, nil
}

// Downgrade implements etcdserverpb.MaintenanceServer.
func (s *maintenanceServer) Downgrade(
	ctx context.Context, r *pb.DowngradeRequest,
) (*pb.DowngradeResponse, error) {
	if err := s.requireAdmin(ctx); err != nil {
		return nil, statusOf(err)
	}
	response, err := s.node.Downgrade(ctx, r)
	if err == nil {
		response.Header = &pb.ResponseHeader{}
	}
	return answer(&s.service, response, err)
}
