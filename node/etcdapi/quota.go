package etcdapi

import (
	"context"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.etcd.io/etcd/server/v3/storage"
	"go.etcd.io/etcd/server/v3/storage/backend"
	"go.uber.org/zap"

	"github.com/raftctl/raftctl/node/kv"
)

// sized is a database of which only the size may be asked, which is all that etcd's quota does.
type sized struct {
	backend.Backend
	store *kv.Store
}

// Size implements backend.Backend.
func (s sized) Size() int64 {
	size, _ := s.store.Size()
	return size
}

// newQuota returns the quota of the database.
func newQuota(s *service) storage.Quota {
	database := sized{store: s.node.Store()}
	return storage.NewBackendQuota(zap.NewNop(), s.node.Config().QuotaBytes, database, "api")
}

// checkQuota refuses a request for which the database has no room, and raises the alarm.
func (s *service) checkQuota(ctx context.Context, q storage.Quota, request any) error {
	if q.Available(request) {
		return nil
	}
	// The request is refused in any case. Should the alarm not come about, the next request tries again.
	_, _ = s.node.Propose(ctx, &pb.InternalRaftRequest{Alarm: &pb.AlarmRequest{
		MemberID: s.node.ID(), Action: pb.AlarmRequest_ACTIVATE, Alarm: pb.AlarmType_NOSPACE,
	}})
	return rpctypes.ErrGRPCNoSpace
}
