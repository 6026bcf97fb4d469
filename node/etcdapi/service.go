package etcdapi

import (
	"context"
	"fmt"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/etcdserver/errors"
	"google.golang.org/protobuf/proto"

	"github.com/raftctl/raftctl/node"
)

// service is what all services have in common. It holds nothing that changes.
type service struct {
	node    *node.Node
	options Options
	metrics *metrics
}

func newService(n *node.Node, o Options) service {
	return service{node: n, options: o.withDefaults(), metrics: newMetrics(o.Metrics)}
}

// propose has the cluster apply a request, and returns the response of the state machine, or its refusal.
func propose[T proto.Message](ctx context.Context, s *service, r *pb.InternalRaftRequest) (response T, err error) {
	result, err := s.node.Propose(ctx, r)
	if err == nil {
		err = result.Err
	}
	if err != nil {
		return response, err
	}
	response, ok := result.Resp.(T)
	switch {
	case !ok:
		return response, fmt.Errorf("the state machine answers with %T, want %T", result.Resp, response)
	case !response.ProtoReflect().IsValid(): // a nil pointer, for an action that there isn't: it ends an etcd
		return response, errors.ErrUnknownMethod
	}
	return response, nil
}

// headed is a response that says who gave it.
type headed interface{ GetHeader() *pb.ResponseHeader }

// answer completes what is sent to a client: the header of a response, or the status of an error.
func answer[T headed](s *service, response T, err error) (T, error) {
	if err != nil {
		var none T
		return none, statusOf(err)
	}
	s.fill(response.GetHeader())
	return response, nil
}
