package etcdapi

import (
	"math"
	"runtime"

	grpcmetrics "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"

	"github.com/raftctl/raftctl/internal/metric"
	"github.com/raftctl/raftctl/node"
)

// requestOverhead is what a message may have beyond the largest request.
const requestOverhead = 512 << 10

// services are what a server serves, and what is called within the process.
type services struct {
	kv          pb.KVServer
	lease       pb.LeaseServer
	cluster     pb.ClusterServer
	maintenance pb.MaintenanceServer
	auth        pb.AuthServer
	health      *health
	watch       pb.WatchServer
}

func newServices(s service) *services {
	h := newHealth()
	return &services{
		kv:          newKVServer(s),
		lease:       newLeaseServer(s),
		cluster:     newClusterServer(s),
		maintenance: newMaintenanceServer(s, h),
		auth:        newAuthServer(s),
		health:      h,
		watch:       newWatchServer(s),
	}
}

// NewServer returns a server of etcd's API for a node that is ready. Who calls it serves, and stops the server
// before the node. More are options of gRPC beside those that o stands for.
func NewServer(n *node.Node, o Options, more ...grpc.ServerOption) *grpc.Server {
	s := newService(n, o)
	var m []grpcmetrics.ServerMetricsOption
	if o.TimeHistograms {
		m = append(m, grpcmetrics.WithServerHandlingTimeHistogram())
	}
	calls := metric.Register(o.Metrics, grpcmetrics.NewServerMetrics(m...))
	server := grpc.NewServer(append(append(s.options.transport(), more...),
		grpc.ForceServerCodecV2(newCodec(s.metrics)),
		grpc.ChainUnaryInterceptor(calls.UnaryServerInterceptor(), s.intercept),
		grpc.ChainStreamInterceptor(calls.StreamServerInterceptor(), s.interceptStream(watchLeader(n))),
		grpc.MaxRecvMsgSize(int(n.Config().MaxRequestBytes)+requestOverhead),
		grpc.MaxSendMsgSize(math.MaxInt32),
		// Workers keep the stacks that calls have grown: 4 % less CPU for small calls. Where streams hold all of them,
		// calls get goroutines of their own, as without.
		grpc.NumStreamWorkers(uint32(2*runtime.GOMAXPROCS(0))),
	)...)
	all := newServices(s)
	all.register(server, s.kvMethods())
	registerRecipes(server, newClient(n, all))
	calls.InitializeMetrics(server)
	return server
}

func (s *services) register(to *grpc.Server, kv *grpc.ServiceDesc) {
	to.RegisterService(kv, s.kv)
	pb.RegisterLeaseServer(to, s.lease)
	pb.RegisterClusterServer(to, s.cluster)
	pb.RegisterMaintenanceServer(to, s.maintenance)
	pb.RegisterAuthServer(to, s.auth)
	pb.RegisterWatchServer(to, s.watch)
	grpc_health_v1.RegisterHealthServer(to, s.health)
}

// transport are the options of connections.
func (o *Options) transport() []grpc.ServerOption {
	var options []grpc.ServerOption
	if o.TLS != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(o.TLS)))
	}
	if o.MaxConcurrentStreams > 0 {
		options = append(options, grpc.MaxConcurrentStreams(o.MaxConcurrentStreams))
	}
	if o.KeepAliveMinTime > 0 {
		options = append(options, grpc.KeepaliveEnforcementPolicy(
			keepalive.EnforcementPolicy{MinTime: o.KeepAliveMinTime}))
	}
	if o.KeepAliveInterval > 0 && o.KeepAliveTimeout > 0 {
		options = append(options, grpc.KeepaliveParams(
			keepalive.ServerParameters{Time: o.KeepAliveInterval, Timeout: o.KeepAliveTimeout}))
	}
	return options
}
