package etcdapi

import (
	"context"
	"errors"
	"math"
	"net"
	"net/http"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	etcdgw "go.etcd.io/etcd/api/v3/etcdserverpb/gw"
	electiongw "go.etcd.io/etcd/server/v3/etcdserver/api/v3election/v3electionpb/gw"
	lockgw "go.etcd.io/etcd/server/v3/etcdserver/api/v3lock/v3lockpb/gw"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"
)

// gateway serves gRPC's calls as JSON below /v3/.
type gateway struct {
	mux  *runtime.ServeMux
	conn *grpc.ClientConn
	end  context.CancelFunc
}

// newGateway returns a gateway whose calls go to a server within the process, over connections that never leave
// it. A client's certificate doesn't go with them; its token does.
func newGateway(to *handedOver) (*gateway, error) {
	dial := func(ctx context.Context, _ string) (net.Conn, error) {
		near, far := net.Pipe()
		select {
		case to.conns <- far:
			return near, nil
		case <-to.closed:
			return nil, net.ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	conn, err := grpc.NewClient("passthrough:///member", grpc.WithContextDialer(dial),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32), grpc.MaxCallSendMsgSize(math.MaxInt32)))
	if err != nil {
		return nil, err
	}
	g := &gateway{conn: conn, mux: runtime.NewServeMux(runtime.WithMarshalerOption(runtime.MIMEWildcard, jsonForm()))}
	ctx, end := context.WithCancel(context.Background())
	g.end = end
	for _, register := range []func(context.Context, *runtime.ServeMux, *grpc.ClientConn) error{
		etcdgw.RegisterKVHandler, etcdgw.RegisterWatchHandler, etcdgw.RegisterLeaseHandler,
		etcdgw.RegisterClusterHandler, etcdgw.RegisterMaintenanceHandler, etcdgw.RegisterAuthHandler,
		lockgw.RegisterLockHandler, electiongw.RegisterElectionHandler,
	} {
		if err := register(ctx, g.mux, conn); err != nil {
			return nil, errors.Join(err, g.close())
		}
	}
	return g, nil
}

// jsonForm is the form of etcd's JSON: names as in the definition of the messages, zero values left out.
func jsonForm() runtime.Marshaler {
	return &runtime.HTTPBodyMarshaler{Marshaler: &runtime.JSONPb{
		MarshalOptions:   protojson.MarshalOptions{UseProtoNames: true},
		UnmarshalOptions: protojson.UnmarshalOptions{DiscardUnknown: true},
	}}
}

func (g *gateway) close() error {
	g.end()
	return g.conn.Close()
}

// ServeHTTP implements http.Handler.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.mux.ServeHTTP(w, r) }
