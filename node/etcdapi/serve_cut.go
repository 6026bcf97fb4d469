package etcdapi

import (
	"context"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3election/v3electionpb"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3lock/v3lockpb"
	"google.golang.org/grpc"
)

// endless are the calls that may go on for ever. They are cut when the server stops, so that clients go on at
// another member at once, and the others have their time to end.
var endless = map[string]bool{
	pb.Watch_Watch_FullMethodName:                                     true,
	pb.Lease_LeaseKeepAlive_FullMethodName:                            true,
	"/" + v3lockpb.Lock_ServiceDesc.ServiceName + "/Lock":             true,
	"/" + v3electionpb.Election_ServiceDesc.ServiceName + "/Campaign": true,
	"/" + v3electionpb.Election_ServiceDesc.ServiceName + "/Observe":  true,
}

// cutCall ends an endless call when the server stops.
func (s *Server) cutCall(
	ctx context.Context, r any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (any, error) {
	if !endless[info.FullMethod] {
		return handler(ctx, r)
	}
	ctx, cancel := s.untilStop(ctx)
	defer cancel()
	response, err := handler(ctx, r)
	return response, s.orStopped(err)
}

// cutStream ends an endless stream when the server stops.
func (s *Server) cutStream(
	srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
) error {
	if !endless[info.FullMethod] {
		return handler(srv, stream)
	}
	ctx, cancel := s.untilStop(stream.Context())
	defer cancel()
	return s.orStopped(handler(srv, withContext{stream, ctx}))
}

// untilStop returns a context that ends when the server stops.
func (s *Server) untilStop(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-s.stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// orStopped says that the server stops, where that is why a call failed.
func (s *Server) orStopped(err error) error {
	if err == nil {
		return nil
	}
	select {
	case <-s.stopping:
		return rpctypes.ErrGRPCStopped
	default:
		return err
	}
}
