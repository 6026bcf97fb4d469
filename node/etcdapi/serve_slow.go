package etcdapi

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"
)

// logSlow logs a call that takes long, in etcd's words but for what it is about: that may be a secret.
func (s *Server) logSlow(
	ctx context.Context, r any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (any, error) {
	if s.config.SlowRequest <= 0 || endless[info.FullMethod] {
		return handler(ctx, r)
	}
	begun := time.Now()
	response, err := handler(ctx, r)
	if took := time.Since(begun); took > s.config.SlowRequest {
		s.tellSlow(ctx, info.FullMethod, took, sizeOf(r), sizeOf(response))
	}
	return response, err
}

func (s *Server) tellSlow(ctx context.Context, method string, took time.Duration, request, response int) {
	remote := "No remote client info."
	if p, ok := peer.FromContext(ctx); ok {
		remote = p.Addr.String()
	}
	s.config.log().Warn("request stats", "time spent", took, "remote", remote, "response type", method,
		"request size", request, "response size", response)
}

// sizeOf returns how many bytes a message takes.
func sizeOf(m any) int {
	p, ok := m.(proto.Message)
	if !ok {
		return 0
	}
	return proto.Size(p)
}
