package etcdapi

import (
	"context"
	"sync"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/pkg/v3/traceutil"
	"go.etcd.io/etcd/server/v3/storage/mvcc"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/raftctl/raftctl/node"
)

// TestHealth asks gRPC's health service, of a node and of an etcd.
func TestHealth(t *testing.T) {
	ours, etcds := sides(t, node.Config{})
	for _, service := range []string{"", "etcdserverpb.KV"} {
		got, gotErr := grpc_health_v1.NewHealthClient(ours.conn).Check(
			t.Context(), &grpc_health_v1.HealthCheckRequest{Service: service})
		want, wantErr := grpc_health_v1.NewHealthClient(etcds.conn).Check(
			t.Context(), &grpc_health_v1.HealthCheckRequest{Service: service})
		if got.GetStatus() != want.GetStatus() || status.Convert(gotErr).String() != status.Convert(wantErr).String() {
			t.Errorf("service %q: %v, %v, want %v, %v", service, got, gotErr, want, wantErr)
		}
	}
}

// TestStopOnDefrag looks at the health of a node whose database is being defragmented, and can't be while it is read.
func TestStopOnDefrag(t *testing.T) {
	t.Parallel()
	n, endpoint := startNode(t, node.Config{}, Options{StopOnDefrag: true})
	s := dial(t, endpoint)
	s.awaitVersion(t) // from then on the node itself has nothing to write
	read := n.Store().KV().Read(mvcc.SharedBufReadTxMode, traceutil.TODO())
	end := sync.OnceFunc(read.End)
	t.Cleanup(end)
	done := make(chan answered)
	go func() { done <- s.answer(t, row{r: &pb.DefragmentRequest{}}) }()
	s.awaitHealth(t, grpc_health_v1.HealthCheckResponse_NOT_SERVING)
	end()
	if a := <-done; a.Status != "OK: " {
		t.Errorf("defragment: %s", a.Status)
	}
	s.awaitHealth(t, grpc_health_v1.HealthCheckResponse_SERVING)
}

func (s *side) awaitHealth(t *testing.T, want grpc_health_v1.HealthCheckResponse_ServingStatus) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		r, err := grpc_health_v1.NewHealthClient(s.conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
		if err != nil {
			t.Fatalf("want %v: %v", want, err)
		}
		if r.Status == want {
			return
		}
		time.Sleep(time.Millisecond)
	}
}
