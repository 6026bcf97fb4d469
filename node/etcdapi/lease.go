package etcdapi

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/auth"
	"go.etcd.io/etcd/server/v3/lease"
	"go.etcd.io/etcd/server/v3/storage"
)

// leaseServer grants, renews and lists leases.
type leaseServer struct {
	service
	quota storage.Quota
	pb.UnsafeLeaseServer
}

func newLeaseServer(s service) pb.LeaseServer { return &leaseServer{service: s, quota: newQuota(&s)} }

// LeaseGrant implements etcdserverpb.LeaseServer.
func (s *leaseServer) LeaseGrant(ctx context.Context, r *pb.LeaseGrantRequest) (*pb.LeaseGrantResponse, error) {
	if err := s.checkQuota(ctx, s.quota, r); err != nil {
		return nil, err
	}
	for r.ID == int64(lease.NoLease) {
		r.ID = rand.Int64()
	}
	if err := s.requireUser(ctx); err != nil {
		return nil, statusOf(err)
	}
	response, err := propose[*pb.LeaseGrantResponse](ctx, &s.service, &pb.InternalRaftRequest{LeaseGrant: r})
	return answer(&s.service, response, err)
}

// LeaseRevoke implements etcdserverpb.LeaseServer.
func (s *leaseServer) LeaseRevoke(
	ctx context.Context, r *pb.LeaseRevokeRequest,
) (*pb.LeaseRevokeResponse, error) {
	if err := s.requireUser(ctx); err != nil {
		return nil, statusOf(err)
	}
	response, err := propose[*pb.LeaseRevokeResponse](ctx, &s.service, &pb.InternalRaftRequest{LeaseRevoke: r})
	return answer(&s.service, response, err)
}

// LeaseTimeToLive implements etcdserverpb.LeaseServer. A lease that there isn't has -1 seconds left.
func (s *leaseServer) LeaseTimeToLive(
	ctx context.Context, r *pb.LeaseTimeToLiveRequest,
) (*pb.LeaseTimeToLiveResponse, error) {
	response, err := s.timeToLive(ctx, r)
	if errors.Is(err, lease.ErrLeaseNotFound) {
		response, err = &pb.LeaseTimeToLiveResponse{Header: &pb.ResponseHeader{}, ID: r.ID, TTL: -1}, nil
	}
	return answer(&s.service, response, err)
}

func (s *leaseServer) timeToLive(
	ctx context.Context, r *pb.LeaseTimeToLiveRequest,
) (response *pb.LeaseTimeToLiveResponse, err error) {
	if err := s.requireUser(ctx); err != nil {
		return nil, err
	}
	ask := func() (err error) {
		response, err = s.node.LeaseTimeToLive(ctx, r)
		if err == nil && response.Header == nil {
			response.Header = &pb.ResponseHeader{}
		}
		return err
	}
	if !r.Keys {
		return response, ask()
	}
	err = s.unchanged(ctx, s.mayRead(s.keysOf(r.ID)), ask)
	return response, err
}

// LeaseLeases implements etcdserverpb.LeaseServer: the leases that this member knows.
func (s *leaseServer) LeaseLeases(
	ctx context.Context, _ *pb.LeaseLeasesRequest,
) (*pb.LeaseLeasesResponse, error) {
	leases := s.node.Store().Lessor().Leases()
	response := &pb.LeaseLeasesResponse{Header: &pb.ResponseHeader{}}
	var keys []string
	for _, l := range leases {
		response.Leases = append(response.Leases, &pb.LeaseStatus{ID: int64(l.ID)})
		keys = append(keys, l.Keys()...)
	}
	err := s.unchanged(ctx, s.mayRead(keys), func() error { return nil })
	return answer(&s.service, response, err)
}

// LeaseKeepAlive implements etcdserverpb.LeaseServer. It ends with its context also while a request is waited
// for: a member without a leader cancels it.
func (s *leaseServer) LeaseKeepAlive(stream pb.Lease_LeaseKeepAliveServer) error {
	ended := make(chan error, 1)
	go func() { ended <- s.keepAlive(stream) }()
	select {
	case err := <-ended:
		return err
	case <-stream.Context().Done():
		return stream.Context().Err()
	}
}

func (s *leaseServer) keepAlive(stream pb.Lease_LeaseKeepAliveServer) error {
	for {
		r, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return s.metrics.streamFailed(stream.Context(), "receive", "lease-keepalive", err)
		}
		// The header is older than the renewal: at its revision the lease was there, also if it ends after that.
		response := &pb.LeaseKeepAliveResponse{ID: r.ID, Header: &pb.ResponseHeader{}}
		s.fill(response.Header)
		response.TTL, err = s.renew(stream.Context(), r.ID)
		if err != nil {
			return statusOf(err)
		}
		if err := stream.Send(response); err != nil {
			return s.metrics.streamFailed(stream.Context(), "send", "lease-keepalive", err)
		}
	}
}

// renew renews a lease, and returns how many seconds it has then: 0 if there is no such lease.
func (s *leaseServer) renew(ctx context.Context, id int64) (ttl int64, err error) {
	err = s.unchanged(ctx, s.mayWrite(s.keysOf(id)), func() error { return nil })
	if err != nil {
		return 0, err
	}
	ttl, err = s.node.RenewLease(ctx, id)
	if errors.Is(err, lease.ErrLeaseNotFound) {
		return 0, nil
	}
	return ttl, err
}

func (s *leaseServer) keysOf(id int64) []string {
	if l := s.node.Store().Lessor().Lookup(lease.LeaseID(id)); l != nil {
		return l.Keys()
	}
	return nil
}

// mayRead returns a check whether a user may read keys.
func (s *leaseServer) mayRead(keys []string) func(*auth.AuthInfo) error {
	return func(user *auth.AuthInfo) error {
		for _, key := range keys {
			if err := s.node.Store().Auth().IsRangePermitted(user, []byte(key), nil); err != nil {
				return err
			}
		}
		return nil
	}
}

// mayWrite returns a check whether a user may write keys.
func (s *leaseServer) mayWrite(keys []string) func(*auth.AuthInfo) error {
	return func(user *auth.AuthInfo) error {
		for _, key := range keys {
			if err := s.node.Store().Auth().IsPutPermitted(user, []byte(key)); err != nil {
				return err
			}
		}
		return nil
	}
}

// unchanged runs what is to be done for a user, if there are users and this one is allowed to. What it yields
// is not given out if users or roles have changed since the check. A user with role root may do everything.
func (s *leaseServer) unchanged(ctx context.Context, allowed func(*auth.AuthInfo) error, do func() error) error {
	users := s.node.Store().Auth()
	revision := users.Revision()
	if !users.IsAuthEnabled() {
		return do()
	}
	user, err := s.node.Caller(ctx)
	switch {
	case err != nil:
		return err
	case user == nil:
		return auth.ErrUserEmpty
	case users.IsAdminPermitted(user) == nil:
		return do()
	}
	if err := allowed(user); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	if revision != users.Revision() {
		return auth.ErrAuthOldRevision
	}
	return nil
}
