package etcdapi

import (
	"context"
	"errors"
	"fmt"
	"testing"
	_ "unsafe" // for go:linkname

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.etcd.io/etcd/server/v3/auth"
	_ "go.etcd.io/etcd/server/v3/etcdserver/api/v3rpc" // the reference
	etcderrors "go.etcd.io/etcd/server/v3/etcdserver/errors"
	etcdraft "go.etcd.io/raft/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/raftctl/raftctl/node"
	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raft"
)

//go:linkname reference go.etcd.io/etcd/server/v3/etcdserver/api/v3rpc.toGRPCErrorMap
var reference map[error]error

// Every error of etcd's servers that it has a status for has the same here, and no other error has one.
func TestStatusesAreEtcds(t *testing.T) {
	have := map[error]bool{node.ErrStopped: true, kv.ErrFailed: true, raft.ErrProposalDropped: true} // ours
	for err, want := range reference {
		have[err] = true
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			continue // statusOf leaves them to gRPC, as etcd does
		}
		if got := statusOf(err); got != want {
			t.Errorf("%v: %v, want %v", err, got, want)
		}
	}
	for _, s := range statuses {
		if !have[s.err] {
			t.Errorf("%v: no status in etcd", s.err)
		}
	}
	if len(reference) < 50 {
		t.Errorf("etcd's table has %d errors", len(reference))
	}
}

func TestStatusOf(t *testing.T) {
	for _, test := range []struct {
		name string
		err  error
		code codes.Code
		text string
	}{
		{"wrapped", fmt.Errorf("lease 7: %w", etcderrors.ErrTimeout), codes.Unavailable, "etcdserver: request timed out"},
		{"a status", rpctypes.ErrGRPCNoLeader, codes.Unavailable, "etcdserver: no leader"},
		{"canceled", context.Canceled, codes.Canceled, "context canceled"},
		{"late", context.DeadlineExceeded, codes.DeadlineExceeded, "context deadline exceeded"},
		{"the store has failed", fmt.Errorf("%w: disk", kv.ErrFailed), codes.Unavailable, "etcdserver: server stopped"},
		{"unknown to etcd's table", auth.ErrNoPasswordUser, codes.Unknown,
			"auth: authentication failed, password was given for no password user"},
		{"transfer", etcderrors.ErrTimeoutLeaderTransfer, codes.Unknown,
			"etcdserver: request timed out, leader transfer took too long"},
		{"dropped", raft.ErrProposalDropped, codes.Unknown, etcdraft.ErrProposalDropped.Error()},
		{"of no table", errors.New("no such thing"), codes.Unknown, "no such thing"},
	} {
		s, ok := status.FromError(statusOf(test.err))
		if !ok {
			s = status.FromContextError(statusOf(test.err)) // as gRPC's server does
		}
		if s.Code() != test.code || s.Message() != test.text {
			t.Errorf("%s: %v %q, want %v %q", test.name, s.Code(), s.Message(), test.code, test.text)
		}
	}
}
