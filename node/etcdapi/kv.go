package etcdapi

import (
	"context"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/auth"
	"go.etcd.io/etcd/server/v3/etcdserver/apply"
	"go.etcd.io/etcd/server/v3/etcdserver/errors"
	"go.etcd.io/etcd/server/v3/etcdserver/txn"
	"go.etcd.io/etcd/server/v3/storage"
	"go.uber.org/zap"
)

// kvServer reads and changes keys.
type kvServer struct {
	service
	quota storage.Quota
	pb.UnsafeKVServer
}

func newKVServer(s service) pb.KVServer { return &kvServer{service: s, quota: newQuota(&s)} }

// Put implements etcdserverpb.KVServer.
func (s *kvServer) Put(ctx context.Context, r *pb.PutRequest) (*pb.PutResponse, error) {
	if err := s.checkQuota(ctx, s.quota, r); err != nil {
		return nil, err
	}
	if err := checkPut(r); err != nil {
		return nil, err
	}
	response, err := propose[*pb.PutResponse](ctx, &s.service, &pb.InternalRaftRequest{Put: r})
	return answer(&s.service, response, err)
}

// DeleteRange implements etcdserverpb.KVServer.
func (s *kvServer) DeleteRange(
	ctx context.Context, r *pb.DeleteRangeRequest,
) (*pb.DeleteRangeResponse, error) {
	if err := checkDelete(r); err != nil {
		return nil, err
	}
	response, err := propose[*pb.DeleteRangeResponse](ctx, &s.service, &pb.InternalRaftRequest{DeleteRange: r})
	return answer(&s.service, response, err)
}

// Txn implements etcdserverpb.KVServer. A transaction that only reads is not in the log.
func (s *kvServer) Txn(ctx context.Context, r *pb.TxnRequest) (*pb.TxnResponse, error) {
	if err := s.checkQuota(ctx, s.quota, r); err != nil {
		return nil, err
	}
	if err := checkTxn(r, int(s.node.Config().MaxTxnOps)); err != nil {
		return nil, err
	}
	if txn.IsTxnReadonly(r) {
		response, err := s.readTxn(ctx, r)
		return answer(&s.service, response, err)
	}
	response, err := propose[*pb.TxnResponse](ctx, &s.service, &pb.InternalRaftRequest{Txn: r})
	return answer(&s.service, response, err)
}

func (s *kvServer) readTxn(ctx context.Context, r *pb.TxnRequest) (response *pb.TxnResponse, err error) {
	defer func(begun time.Time) { s.node.CountRequest("ReadonlyTxn", begun, err) }(time.Now())
	if !txn.IsTxnSerializable(r) {
		if err := s.node.Read(ctx); err != nil {
			return nil, err
		}
	}
	store := s.node.Store()
	allowed := func(user *auth.AuthInfo) error {
		return apply.CheckTxnAuth(store.Auth(), user, store.Lessor(), r)
	}
	err = s.permitted(ctx, allowed, func() (err error) {
		response, _, err = txn.Txn(ctx, zap.NewNop(), r, true, store.KV(), store.Lessor(), false)
		return err
	})
	return response, err
}

// Compact implements etcdserverpb.KVServer. One that is asked to be physical is answered when the history is
// gone from the file: a crash then doesn't bring it back, and hashes stay what they are.
func (s *kvServer) Compact(ctx context.Context, r *pb.CompactionRequest) (*pb.CompactionResponse, error) {
	if err := s.requireAdmin(ctx); err != nil {
		return nil, statusOf(err)
	}
	result, err := s.node.Propose(ctx, &pb.InternalRaftRequest{Compaction: r})
	if err == nil {
		err = result.Err
	}
	if err == nil && r.GetPhysical() && result.Compacted != nil {
		err = s.awaitCompaction(ctx, result.Compacted)
	}
	if err != nil {
		return nil, statusOf(err)
	}
	return answer(&s.service, &pb.CompactionResponse{Header: &pb.ResponseHeader{}}, nil)
}

func (s *kvServer) awaitCompaction(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return s.node.Commit(ctx)
	case <-ctx.Done():
		return ctx.Err()
	case <-s.node.Stopping():
		return errors.ErrStopped
	}
}
