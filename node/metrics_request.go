package node

import (
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/reflect/protoreflect"

	"go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/raftctl/raftctl/internal/metric"
)

// newRequestMetric returns what tells how long requests take, by their kind and by whether they have a result.
func newRequestMetric(r prometheus.Registerer) *prometheus.HistogramVec {
	return metric.Register(r, prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "etcd_server_request_duration_seconds", Help: "How long requests take, by their type.",
		Buckets: prometheus.ExponentialBuckets(0.001, 2, 14), // 1 ms to 8.192 s
	}, []string{"type", "success"}))
}

// CountRequest counts a request, of a kind that metrics call by a name, which was begun at a time. Propose counts
// what it is given; reads are counted by who makes them.
func (n *Node) CountRequest(kind string, begun time.Time, err error) {
	n.metrics.requests.WithLabelValues(kind, strconv.FormatBool(err == nil)).Observe(time.Since(begun).Seconds())
}

// requestKinds are the names of requests in metrics, by the field of an entry that they are in.
var requestKinds = func() map[protoreflect.FieldNumber]string {
	kinds := map[protoreflect.FieldNumber]string{}
	fields := (&etcdserverpb.InternalRaftRequest{}).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		if f := fields.Get(i); f.Message() != nil && f.Name() != "header" {
			kinds[f.Number()] = strings.ToUpper(f.JSONName()[:1]) + f.JSONName()[1:]
		}
	}
	return kinds
}()

// requestKind returns the name of a request in metrics; empty if it asks for nothing.
func requestKind(r *etcdserverpb.InternalRaftRequest) (kind string) {
	r.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		name, ok := requestKinds[f.Number()]
		if ok {
			kind = name
		}
		return !ok
	})
	return kind
}
