package etcdapi

import (
	"context"
	"unicode/utf8"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// intercept admits a call, or refuses it for what the member is or doesn't know at the moment.
func (s *service) intercept(
	ctx context.Context, r any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (any, error) {
	if s.node.Status().Learner && !learnerAnswers(r) {
		return nil, rpctypes.ErrGRPCNotSupportedForLearner
	}
	needLeader, err := s.admit(ctx, "unary")
	if err != nil {
		return nil, err
	}
	if needLeader && !s.node.HasLeader() {
		return nil, rpctypes.ErrGRPCNoLeader
	}
	return handler(ctx, r)
}

// learnerAnswers reports whether a learner answers a request: it reads what it has, and tells how it is.
func learnerAnswers(r any) bool {
	switch r := r.(type) {
	case *pb.StatusRequest:
		return true
	case *pb.RangeRequest:
		return r.GetSerializable()
	}
	return false
}

// interceptStream does for streams what intercept does for calls. A learner has but one: the snapshot. A stream
// that asked for a leader ends when there is none for long.
func (s *service) interceptStream(l *leaderless) grpc.StreamServerInterceptor {
	return func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		if s.node.Status().Learner && info.FullMethod != pb.Maintenance_Snapshot_FullMethodName {
			return rpctypes.ErrGRPCNotSupportedForLearner
		}
		needLeader, err := s.admit(stream.Context(), "stream")
		if err != nil {
			return err
		}
		if !needLeader {
			return handler(srv, stream)
		}
		if !s.node.HasLeader() {
			return rpctypes.ErrGRPCNoLeader
		}
		ctx, leave := l.join(stream.Context())
		defer leave()
		return handler(srv, withContext{stream, ctx})
	}
}

// admit counts a call by the version of the client's API, and reports whether the client wants an answer only
// while there is a leader.
func (s *service) admit(ctx context.Context, kind string) (needLeader bool, err error) {
	version := "unknown"
	if v := metadata.ValueFromIncomingContext(ctx, rpctypes.MetadataClientAPIVersionKey); len(v) > 0 {
		version = v[0]
	}
	if !utf8.ValidString(version) {
		return false, rpctypes.ErrGRPCInvalidClientAPIVersion
	}
	s.metrics.request(kind, version)
	v := metadata.ValueFromIncomingContext(ctx, rpctypes.MetadataRequireLeaderKey)
	return len(v) > 0 && v[0] == rpctypes.MetadataHasLeader, nil
}

// withContext is a stream with a context of its own.
type withContext struct {
	grpc.ServerStream
	ctx context.Context
}

// Context implements grpc.ServerStream.
func (s withContext) Context() context.Context { return s.ctx }
