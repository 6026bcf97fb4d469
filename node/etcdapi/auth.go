package etcdapi

import (
	"context"
	"encoding/base64"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"golang.org/x/crypto/bcrypt"
	"google.golang.org/protobuf/proto"
)

// authServer changes users and roles, and gives out tokens. Who may do so is for the state machine to say, when it
// applies the request.
type authServer struct {
	service
	pb.UnsafeAuthServer
}

func newAuthServer(s service) pb.AuthServer { return &authServer{service: s} }

// proposeAuth has the cluster apply a request about users or roles. The response is sent as the state machine gave it.
func proposeAuth[T proto.Message](ctx context.Context, s *authServer, r *pb.InternalRaftRequest) (T, error) {
	response, err := propose[T](ctx, &s.service, r)
	if err != nil {
		var none T
		return none, statusOf(err)
	}
	return response, nil
}

// Authenticate implements etcdserverpb.AuthServer. The password is checked here, so that it is not in the log; if
// users or roles change until the token is there, it is checked again.
func (s *authServer) Authenticate(
	ctx context.Context, r *pb.AuthenticateRequest,
) (*pb.AuthenticateResponse, error) {
	defer func() { r.Password = "" }() // it may be kept in memory longer than it need be
	if err := s.node.Read(ctx); err != nil {
		return nil, statusOf(err)
	}
	users := s.node.Store().Auth()
	for {
		checked, err := users.CheckPassword(r.Name, r.Password)
		if err != nil {
			return nil, statusOf(err)
		}
		prefix, err := users.GenTokenPrefix()
		if err != nil {
			return nil, statusOf(err)
		}
		response, err := proposeAuth[*pb.AuthenticateResponse](ctx, s, &pb.InternalRaftRequest{
			Authenticate: &pb.InternalAuthenticateRequest{Name: r.Name, SimpleToken: prefix},
		})
		if err != nil || checked == users.Revision() {
			return response, err
		}
	}
}

// hash returns a password as it goes into the log.
func (s *authServer) hash(password string) (string, error) {
	b, err := bcrypt.GenerateFromPassword([]byte(password), s.node.Store().Auth().BcryptCost())
	return base64.StdEncoding.EncodeToString(b), err
}

// AuthEnable implements etcdserverpb.AuthServer.
func (s *authServer) AuthEnable(ctx context.Context, r *pb.AuthEnableRequest) (*pb.AuthEnableResponse, error) {
	return proposeAuth[*pb.AuthEnableResponse](ctx, s, &pb.InternalRaftRequest{AuthEnable: r})
}

// AuthDisable implements etcdserverpb.AuthServer.
func (s *authServer) AuthDisable(
	ctx context.Context, r *pb.AuthDisableRequest,
) (*pb.AuthDisableResponse, error) {
	return proposeAuth[*pb.AuthDisableResponse](ctx, s, &pb.InternalRaftRequest{AuthDisable: r})
}

// AuthStatus implements etcdserverpb.AuthServer.
func (s *authServer) AuthStatus(ctx context.Context, r *pb.AuthStatusRequest) (*pb.AuthStatusResponse, error) {
	if err := s.requireStatus(ctx); err != nil {
		return nil, statusOf(err)
	}
	return proposeAuth[*pb.AuthStatusResponse](ctx, s, &pb.InternalRaftRequest{AuthStatus: r})
}
